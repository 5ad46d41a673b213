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
  closeTab: 'Sie können diesen Tab schließen und zum Terminal zurückkehren.',
  faults: {
    wrong_state:
      'Das ist nicht die Anmeldung, auf die das Terminal wartet. Öffnen Sie die Adresse, die dort steht.',
    already_answered: 'Diese Anmeldung ist schon zurückgekommen. Wie sie ausgegangen ist, steht im Terminal.',
    repeated_parameter:
      'Der Anbieter hat denselben Parameter zweimal gesendet. Seiner Antwort ist deshalb nicht zu trauen.',
    not_found: 'Hier gibt es keine Seite. Dieser Port wartet nur darauf, dass eine Anmeldung zurückkommt.',
    method_not_allowed: 'Eine Anmeldung kommt mit GET zurück und mit nichts anderem.',
    wrong_host: 'Das ist nicht die Adresse, zu der die Anmeldung zurückkommt.',
    body: 'Eine Anmeldung kommt ohne Request-Body zurück.',
    address_too_long: 'Diese Adresse ist länger, als sie bei einer Anmeldung je ist.',
    headers_too_large:
      'Der Browser hat zu viele Cookies für diesen Host gesendet. Löschen Sie sie und melden Sie sich noch einmal an.',
    too_slow: 'Die Anfrage ist nicht rechtzeitig vollständig angekommen.',
    malformed: 'Diese Anfrage ist nicht zu verstehen.',
  },
}
