import type { Strings } from '../strings.ts'

/** Before a semicolon stands a narrow no-break space (U+202F). */
export const french: Strings = {
  language: 'fr',
  signedIn: 'Connexion réussie',
  failed: 'La connexion n’a pas abouti',
  notUsed: 'Rien n’a été modifié',
  account: 'Compte',
  plan: 'Forfait',
  profile: 'Profil',
  provider: 'Fournisseur',
  nextStep: 'Étape suivante',
  closeTab: 'Vous pouvez fermer cet onglet.',
  reasons: {
    denied: 'Le fournisseur a refusé la connexion.',
    wrong_account: 'Le compte connecté n’est pas celui qui était attendu.',
    provider: 'Le fournisseur est injoignable, ou sa réponse n’est pas valable.',
    store: 'La connexion n’a pas pu être enregistrée sur cette machine.',
  },
  faults: {
    wrong_state: 'Ce n’est pas la connexion que le programme attend. Ouvrez l’adresse qu’il affiche.',
    already_answered:
      'La réponse à cette connexion est déjà arrivée. Le programme indique comment elle s’est terminée.',
    repeated_parameter:
      'Le fournisseur a envoyé deux fois le même paramètre\u202f; sa réponse n’est donc pas fiable.',
    not_found: 'Il n’y a pas de page ici. Ce port attend seulement la réponse à une connexion.',
    method_not_allowed: 'La réponse à une connexion arrive toujours par GET.',
    wrong_host: 'Cette adresse n’est pas celle où arrive la réponse à une connexion.',
    body: 'La réponse à une connexion arrive dans une requête sans corps.',
    address_too_long: 'Cette adresse est trop longue pour être la réponse à une connexion.',
    headers_too_large:
      'Le navigateur a envoyé trop de cookies pour cet hôte. Supprimez ces cookies, puis connectez-vous à nouveau.',
    too_slow: 'La requête a mis trop de temps à arriver.',
    malformed: 'Cette requête est incompréhensible.',
  },
}
