export { AuthError, type ErrorCode } from './errors.ts'
export { accessToken } from './library/access-token.ts'
export type { AccessTokenOptions } from './library/access-token-options.ts'
export {
  authenticatedFetch,
  type AuthenticatedFetchOptions,
  type Fetch,
} from './library/authenticated-fetch.ts'
export type { CallOptions } from './library/call.ts'
export type { AccessToken } from './library/handed-out.ts'
export { login, type DeviceCode, type LoginOptions } from './library/login.ts'
export { logout, type LogoutOptions } from './library/logout.ts'
export { status, type StatusOptions } from './library/status.ts'
export type { LogoutReport } from './core/logout-report.ts'
export type { AccountReport, SignInReport, StatusReport } from './core/status-report.ts'
