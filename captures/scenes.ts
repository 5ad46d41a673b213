import type { Scene } from './scene.ts'
import { ELSEWHERE } from './scenes/elsewhere.ts'
import { FAILURES } from './scenes/failures.ts'
import { KEYS } from './scenes/keys.ts'
import { PROVIDERS } from './scenes/providers.ts'
import { SIGN_IN } from './scenes/sign-in.ts'

/** In the order of the page; the first ones leave a login for those after them. */
export const SCENES: readonly Scene[] = [...SIGN_IN, ...ELSEWHERE, ...PROVIDERS, ...KEYS, ...FAILURES]
