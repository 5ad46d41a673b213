/** Apart from the provider, for those who want the name without the packages. */
export const OPENAI_ISSUER = 'https://auth.openai.com'
