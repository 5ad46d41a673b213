import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { certificateAuthority } from '../../support/certificates.ts'
import { startTlsFront } from '../../support/tls-front.ts'
import { serve } from './servers.ts'

export const AUTHORITY = certificateAuthority()

/** A file with this in it, until the end of the test. */
export function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'codex-auth-network-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'authorities.pem')
  writeFileSync(path, text)
  return path
}

/** An https server under this name, which {@link AUTHORITY} or another one vouches for; its port. */
export async function serveSecurely(
  listener: RequestListener,
  host: string,
  authority = AUTHORITY,
): Promise<number> {
  const { origin } = await serve(listener)
  return startTlsFront(origin, authority.issue(host))
}
