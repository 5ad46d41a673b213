/** As `process.env`, without asking callers for the types of Node.js. */
type Environment = Readonly<Record<string, string | undefined>>

/** Which login a call is about. Without any of it: the one that `codex-auth` uses in this process's environment. */
export interface CallOptions {
  /** Unless given: `CODEX_AUTH_PROFILE`, else the `profile` setting, else `default`. */
  readonly profile?: string | undefined
  /** The folder that everything is kept in. Unless given: `CODEX_AUTH_HOME`, else the user's configuration folder. */
  readonly home?: string | undefined
  /** Read instead of `process.env`; proxies and certificate authorities are this process's in any case. */
  readonly env?: Environment | undefined
}

/** The environment of a call as the commands would have it. A trace goes to standard error, which is the host's. */
export function environmentOf({ home, env = process.env }: CallOptions): Environment {
  return { ...env, ...(home && { CODEX_AUTH_HOME: home }), CODEX_AUTH_DEBUG: undefined }
}
