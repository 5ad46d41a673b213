import type { Strings } from '../strings.ts'

export const german: Strings = {
  language: 'de',
  signedIn: 'Sie sind angemeldet',
  failed: 'Die Anmeldung wurde nicht abgeschlossen',
  notUsed: 'Es wurde nichts geändert',
  account: 'Konto',
  plan: 'Tarif',
  profile: 'Profil',
  provider: 'Anbieter',
  nextStep: 'Nächster Schritt',
  closeTab: 'Sie können diesen Tab jetzt schließen.',
  reasons: {
    denied: 'Der Anbieter hat die Anmeldung abgelehnt.',
    wrong_account: 'Angemeldet hat sich ein anderes Konto als erwartet.',
    provider: 'Der Anbieter war nicht zu erreichen, oder seine Antwort war keine.',
    store: 'Die Anmeldung konnte auf diesem Rechner nicht gespeichert werden.',
  },
  faults: {
    wrong_state:
      'Das ist nicht die Anmeldung, auf die das Programm wartet. Öffnen Sie die Adresse, die es anzeigt.',
    already_answered:
      'Die Antwort auf diese Anmeldung ist schon eingegangen. Wie sie ausgegangen ist, zeigt das Programm.',
    repeated_parameter:
      'Der Anbieter hat denselben Parameter zweimal gesendet. Seiner Antwort ist deshalb nicht zu trauen.',
    not_found: 'Hier gibt es keine Seite. Dieser Port wartet nur auf die Antwort auf eine Anmeldung.',
    method_not_allowed: 'Die Antwort auf eine Anmeldung kommt immer mit GET.',
    wrong_host: 'Das ist nicht die Adresse, an der die Antwort auf eine Anmeldung ankommt.',
    body: 'Die Antwort auf eine Anmeldung hat keinen Request-Body.',
    address_too_long: 'Diese Adresse ist zu lang für die Antwort auf eine Anmeldung.',
    headers_too_large:
      'Der Browser hat zu viele Cookies für diesen Host gesendet. Löschen Sie sie und melden Sie sich noch einmal an.',
    too_slow: 'Die Anfrage ist nicht rechtzeitig vollständig angekommen.',
    malformed: 'Diese Anfrage ist nicht zu verstehen.',
  },
}
