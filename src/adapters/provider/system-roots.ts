import { readFileSync } from 'node:fs'
import * as tls from 'node:tls'
import { certificateBlocks } from './certificate-blocks.ts'

/** Each is written by the tool with which people add authorities there. */
const BUNDLES = [
  // Debian, Arch, Alpine
  '/etc/ssl/certs/ca-certificates.crt',
  // Fedora and its kin, today and before
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  // openSUSE
  '/etc/ssl/ca-bundle.pem',
  // FreeBSD, OpenBSD
  '/etc/ssl/cert.pem',
]

/**
 * The authorities that this system trusts, in PEM, which Node.js by itself does not look at. On macOS and Windows, Node.js
 * has to bring them, as it can from 22.15 on; empty where it cannot.
 */
export function systemRoots(
  platform: NodeJS.Platform = process.platform,
  bundles: readonly string[] = BUNDLES,
): readonly string[] {
  if (platform === 'darwin' || platform === 'win32') return rootsFromNode()
  for (const path of bundles) {
    try {
      return certificateBlocks(readFileSync(path, 'latin1'))
    } catch {
      // Another system keeps them in another place.
    }
  }
  return []
}

function rootsFromNode(): readonly string[] {
  const get: unknown = Reflect.get(tls, 'getCACertificates')
  const roots: unknown = typeof get === 'function' ? get('system') : []
  return Array.isArray(roots) ? roots.filter((root) => typeof root === 'string') : []
}
