import type { Strings } from '../strings.ts'

export const english: Strings = {
  language: 'en',
  signedIn: 'You are signed in',
  failed: 'The sign-in did not finish',
  notUsed: 'Nothing was changed',
  account: 'Account',
  plan: 'Plan',
  profile: 'Profile',
  provider: 'Provider',
  nextStep: 'What to do next',
  closeTab: 'You can close this tab.',
  faults: {
    wrong_state: 'This is not the sign-in that the program waits for. Open the address that it shows.',
    already_answered: 'This sign-in has already come back. The program says how it ended.',
    repeated_parameter: 'The provider sent the same parameter twice, so its answer cannot be trusted.',
    not_found: 'There is no page here. This port only waits for a sign-in to come back.',
    method_not_allowed: 'A sign-in comes back with GET, and with nothing else.',
    wrong_host: 'This address is not the one that the sign-in comes back to.',
    body: 'A sign-in comes back without a request body.',
    address_too_long: 'This address is longer than any sign-in makes it.',
    headers_too_large: 'The browser sent too many cookies for this host. Clear them, and sign in again.',
    too_slow: 'The request took too long to arrive.',
    malformed: 'This is not a request that can be understood.',
  },
}
