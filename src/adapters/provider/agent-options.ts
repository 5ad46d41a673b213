/** Of every connection, to a server as to a proxy. */
export const AGENT_OPTIONS = {
  keepAlive: false,
  /**
   * Milliseconds for each address of a host with several. Node's own 250 are too few for a phone's or a satellite's
   * network, where no attempt would ever succeed.
   */
  autoSelectFamilyAttemptTimeout: 1000,
} as const
