/** The certificates in a PEM text, under each of their labels; whatever else is in it is passed over. */
export function certificateBlocks(text: string): string[] {
  return text.match(/-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[^-]*(?:-----END \1-----)?/g) ?? []
}
