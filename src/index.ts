export { AuthError, type ErrorCode } from './errors.ts'
