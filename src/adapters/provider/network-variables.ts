export type Environment = Readonly<Record<string, string | undefined>>

/** Of each scheme, in the order in which they are looked at, as curl does: its own first, each in lower case first. */
export const PROXY_VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']
export const PLAIN_PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY']

/** Each names a file of certificate authorities, and the first that is set is the only one to be read. */
export const AUTHORITY_VARIABLES = ['CODEX_CA_CERTIFICATE', 'SSL_CERT_FILE']

/** Names one more such file, which Node.js reads when it starts. */
export const NODE_AUTHORITY_VARIABLE = 'NODE_EXTRA_CA_CERTS'
