/** The port of an http or https address, the usual one included. */
export function portOf({ protocol, port }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80')
}
