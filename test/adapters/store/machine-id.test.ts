import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  machineId,
  parseIoreg,
  parseMachineId,
  parseRegistry,
} from '../../../src/adapters/store/machine-id.ts'
import { buildStoreProgram, WITHOUT_MOUNTS, type StoreProgram } from '../../support/store-program.ts'
import { temporaryFolder } from '../../support/temp-folder.ts'

const ID = '0123456789abcdef0123456789abcdef'

describe('the machine’s id on Linux', () => {
  test.each([`${ID}\n`, ID, `${ID}\r\n`])('is all that machine-id(5) holds: %j', (text) => {
    expect(parseMachineId(text)).toBe(ID)
  })

  test.each([
    ['no file, or an empty one', ''],
    ['an empty line', '\n'],
    ['an image that was never booted', 'uninitialized\n'],
    ['a number that stands for none', `${'0'.repeat(32)}\n`],
    ['too few digits', `${ID.slice(1)}\n`],
    ['too many digits', `${ID}0\n`],
    ['capital letters', `${ID.toUpperCase()}\n`],
    ['hyphens', '01234567-89ab-cdef-0123-456789abcdef\n'],
    ['something in front', ` ${ID}\n`],
    ['two of them', `${ID}\n${ID}\n`],
    ['other bytes', '\0'.repeat(32)],
  ])('is not known from %s', (_what, text) => {
    expect(parseMachineId(text)).toBeUndefined()
  })
})

describe('the machine’s id on macOS', () => {
  const OUTPUT = [
    '+-o Mac14,2  <class IOPlatformExpertDevice, id 0x10000025f, registered, matched, active, busy 0 (1242 ms), retain 41>',
    '    {',
    '      "IOPlatformSystemSleepPolicy" = <534c505402000a00>',
    '      "compatible" = <"Mac14,2","MacBookAir10,1","AppleARM">',
    '      "IOPlatformSerialNumber" = "C02ABCDEFGHI"',
    '      "IOPlatformUUID" = "6F1A2B3C-4D5E-6F70-8192-A3B4C5D6E7F8"',
    '      "IOBusyInterest" = "IOCommand is not serializable"',
    '    }',
    '',
  ].join('\n')

  test('is the platform’s, as ioreg(8) prints it', () => {
    expect(parseIoreg(OUTPUT)).toBe('6F1A2B3C-4D5E-6F70-8192-A3B4C5D6E7F8')
  })

  test.each([
    '',
    OUTPUT.replace(/.*IOPlatformUUID.*\n/, ''),
    OUTPUT.replace('6F1A2B3C-', ''),
    OUTPUT.replace('"6F1A2B3C-4D5E-6F70-8192-A3B4C5D6E7F8"', '""'),
  ])('is not known from anything else (%#)', (output) => {
    expect(parseIoreg(output)).toBeUndefined()
  })
})

describe('the machine’s id on Windows', () => {
  const OUTPUT = [
    '',
    'HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography',
    '    MachineGuid    REG_SZ    1a2b3c4d-5e6f-7081-92a3-b4c5d6e7f809',
    '',
    '',
  ].join('\r\n')

  test('is the registry’s, as reg.exe prints it', () => {
    expect(parseRegistry(OUTPUT)).toBe('1a2b3c4d-5e6f-7081-92a3-b4c5d6e7f809')
  })

  test.each([
    '',
    OUTPUT.replace(/ {4}MachineGuid.*/, ''),
    OUTPUT.replace('REG_SZ', 'REG_DWORD'),
    OUTPUT.replace('1a2b3c4d-', ''),
    'ERROR: The system was unable to find the specified registry key or value.\r\n',
  ])('is not known from anything else (%#)', (output) => {
    expect(parseRegistry(output)).toBeUndefined()
  })
})

test('a system whose tool is missing has no id', () => {
  expect([machineId('darwin'), machineId('win32')]).toEqual([undefined, undefined])
})

test('this machine’s id is the one in its file', (context) => {
  context.skip(process.platform !== 'linux', 'only Linux has it in a file')
  expect(machineId()).toBe(parseMachineId(readIfThere('/etc/machine-id')))
})

describe('in a container', { timeout: 30_000 }, () => {
  let program: StoreProgram

  beforeAll(async () => {
    program = await buildStoreProgram(temporaryFolder(afterAll))
  }, 30_000)

  afterAll(() => {
    program.close()
  })

  test.for([
    { what: 'a file of its own', script: `printf '%s\\n' ${ID} >/etc/machine-id`, id: ID },
    { what: 'no file', script: '', id: undefined },
    { what: 'an empty file', script: ': >/etc/machine-id', id: undefined },
    { what: 'a folder in its place', script: 'mkdir /etc/machine-id', id: undefined },
  ])('with $what the id is $id', async ({ script, id }, context) => {
    context.skip(WITHOUT_MOUNTS !== undefined, WITHOUT_MOUNTS)
    const contained = await program.start({ mounts: `mount -t tmpfs none /etc\n${script}` })
    expect(await contained.ask({ kind: 'machine id' })).toEqual({ result: id })
  })
})

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
