import { describe, expect, it } from 'vitest'
import { systemRoots } from '../../../src/adapters/provider/system-roots.ts'
import { certificateAuthority } from '../../support/certificates.ts'
import { fileOf } from './network.ts'

const [one, other] = [certificateAuthority('one').certificate, certificateAuthority('other').certificate]

describe('the roots of this system', () => {
  it('are all certificates in the first of its places that is there', () => {
    const bundle = fileOf(`# one\n${one}\n# other\n${other}`)
    const found = systemRoots('linux', ['/nowhere/ca.pem', bundle, fileOf(other)])
    expect(found.map((root) => root.trim())).toEqual([one.trim(), other.trim()])
  })

  it('are none where it has no such place', () => {
    expect(systemRoots('linux', ['/nowhere/ca.pem', '/nowhere'])).toEqual([])
    expect(systemRoots('freebsd', [])).toEqual([])
  })

  it.each<NodeJS.Platform>(['darwin', 'win32'])('are what Node.js says of them on %s', (platform) => {
    const roots = systemRoots(platform, [fileOf(one)])
    expect(roots.filter((root) => !root.startsWith('-----BEGIN CERTIFICATE-----'))).toEqual([])
    expect(roots).not.toContain(one)
  })
})
