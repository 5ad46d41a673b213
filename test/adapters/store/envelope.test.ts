import { createHmac, randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  derive,
  ENVELOPE_LIMIT,
  parseEnvelope,
  seal,
  type EnvelopeHeader,
} from '../../../src/adapters/store/envelope.ts'
import { openSealed } from '../../../src/adapters/store/sealed-file.ts'
import { serializeCredential } from '../../../src/core/credential.ts'
import { sampleCredential, secretsOf } from '../../support/credentials.ts'
import { thrown, type Thrown } from '../../support/thrown.ts'

const KEY = randomBytes(32)
const HEADER: EnvelopeHeader = {
  keySource: 'file',
  keyId: '0011223344556677',
  machine: '8899aabbccddeeff',
  profile: 'work',
  generation: 7,
}
/** The key as a running program has it. */
const FILE_KEY = { keyId: HEADER.keyId, machine: HEADER.machine, sealingKey: () => KEY }

const credential = sampleCredential()
const sealed = seal(serializeCredential(credential), KEY, HEADER)
const headerLength = sealed.indexOf('\n') + 1

function damaged(how: string) {
  return {
    code: 'store_corrupt',
    exitCode: 6,
    message: `The stored credential is damaged: ${how}.`,
    nextStep: 'codex-auth login',
  }
}

const CHANGED = damaged('it was changed after it was written')
const NOT_SEALED = damaged('it is not a sealed credential')
const TOO_EARLY = damaged('it ends too early')
const NO_HEADER = damaged('its header cannot be read')
const OTHER_HEADER = damaged('its header is not one this version writes')

/** Opens bytes as the stored credential of the profile `work`. */
function open(bytes: Buffer) {
  return openSealed(bytes, 'work', () => FILE_KEY)
}

/** An envelope with another header line, over the same sealed bytes. */
function withHeader(line: string): Buffer {
  return Buffer.concat([Buffer.from(line), sealed.subarray(headerLength)])
}

/** Every different failure among those of opening these bytes. */
function failures(envelopes: Iterable<Buffer>): Thrown[] {
  const found = new Map<string, Thrown>()
  for (const bytes of envelopes) {
    const failure = thrown(() => open(bytes))
    found.set(`${failure.code} ${failure.message}`, failure)
  }
  return [...found.values()]
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at)
}

function swap(bytes: Buffer, at: number): Buffer {
  return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)])
}

function flipped(bit: number): Buffer {
  const bytes = Buffer.from(sealed)
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return bytes
}

describe('an envelope', () => {
  test('opens to what was sealed', () => {
    expect(open(sealed)).toEqual({ credential, generation: 7 })
  })

  test('opens to any text that was sealed, under any header', () => {
    const plaintext = fc
      .array(fc.integer({ max: 0xd7ff, min: 0 }))
      .map((units) => String.fromCharCode(...units))
    const name = fc.string({
      unit: fc.constantFrom('a', 'Z', '0', '9', '.', '_', '-'),
      minLength: 1,
      maxLength: 64,
    })
    const header = fc.record({
      keySource: fc.constant('file' as const),
      keyId: name,
      machine: fc.option(name, { nil: undefined }),
      profile: name,
      generation: fc.maxSafeNat(),
    })
    fc.assert(
      fc.property(plaintext, header, (text, given) => {
        const envelope = parseEnvelope(seal(text, KEY, given))
        expect([envelope.header, envelope.open(KEY)]).toEqual([given, text])
      }),
    )
  })

  test('shows its header to anybody, and nothing else', () => {
    const [line = ''] = sealed.toString('latin1').split('\n')
    const [magic, json = ''] = line.split(/ (.*)/)
    expect(magic).toBe('codex-auth-credential/1')
    expect(JSON.parse(json)).toEqual({
      key_source: 'file',
      key_id: HEADER.keyId,
      machine: HEADER.machine,
      profile: 'work',
      generation: 7,
      nonce: expect.stringMatching(/^[\w-]{16}$/) as string,
    })
    for (const secret of secretsOf(credential)) {
      const forms = [secret, Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('hex')]
      expect(forms.filter((form) => sealed.includes(form))).toEqual([])
    }
  })

  test('says when it is not bound to a machine', () => {
    const { header } = parseEnvelope(seal('text', KEY, { ...HEADER, machine: undefined }))
    expect(header).toEqual({ ...HEADER, machine: undefined })
  })

  test('has a nonce of its own, and other bytes, each of a thousand times', () => {
    const thousand = Array.from({ length: 1000 }, () => seal('the same text', KEY, HEADER))
    const nonces = thousand.map((it) => /"nonce":"([^"]+)"/.exec(it.toString('latin1'))?.[1])
    const texts = thousand.map((it) => it.subarray(it.indexOf('\n') + 1, -16).toString('hex'))
    expect([new Set(nonces).size, new Set(texts).size]).toEqual([1000, 1000])
  })

  test('stays far below the limit on reading, whatever a provider puts into its tokens', () => {
    const token = 'x'.repeat(64 * 1024)
    const large = sampleCredential({ accessToken: token, refreshToken: token, idToken: token })
    expect(seal(serializeCredential(large), KEY, HEADER).length).toBeLessThan(ENVELOPE_LIMIT / 2)
  })
})

describe('a damaged envelope', () => {
  test('is never opened with any single bit of it flipped', () => {
    const found = failures(range(0, sealed.length * 8).map(flipped))
    const codes = new Set(found.map(({ code, exitCode }) => `${code} ${exitCode}`))
    // The profile, the key's and the machine's name, and the version are in the header.
    expect([...codes].toSorted()).toEqual([
      'foreign_machine 6',
      'key_mismatch 6',
      'store_corrupt 6',
      'store_newer 6',
    ])
  })

  test('is refused for what it is with any bit of the sealed text flipped', () => {
    expect(failures(range(headerLength * 8, sealed.length * 8).map(flipped))).toEqual([CHANGED])
  })

  test('is never opened when it is cut', () => {
    const cut = range(0, sealed.length).map((length) => sealed.subarray(0, length))
    expect(failures(cut)).toEqual([NOT_SEALED, TOO_EARLY, CHANGED])
  })

  test('is never opened when its beginning is cut off', () => {
    const cut = range(1, sealed.length + 1).map((length) => sealed.subarray(length))
    expect(failures(cut)).toEqual([NOT_SEALED])
  })

  test('is never opened with its halves swapped, wherever they meet', () => {
    const [header, text] = [sealed.subarray(0, headerLength), sealed.subarray(headerLength)]
    const whole = range(1, sealed.length).map((at) => swap(sealed, at))
    const inside = range(1, text.length).map((at) => Buffer.concat([header, swap(text, at)]))
    expect([failures(whole), failures(inside)]).toEqual([[NOT_SEALED], [CHANGED]])
  })

  test('is never opened with anything behind it, another envelope or itself', () => {
    const other = seal(serializeCredential(credential), KEY, HEADER)
    for (const tail of [sealed, other, Buffer.alloc(1), Buffer.from('\n'), sealed.subarray(-16)]) {
      expect(thrown(() => open(Buffer.concat([sealed, tail])))).toEqual(CHANGED)
    }
  })

  test('is never opened with the header of another one', () => {
    const other = seal(serializeCredential(credential), KEY, HEADER)
    const mixed = withHeader(other.toString('latin1', 0, other.indexOf('\n') + 1))
    expect(thrown(() => open(mixed))).toEqual(CHANGED)
  })

  test('is never opened when bytes are changed at random', () => {
    const change = fc.tuple(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), (changes) => {
        const bytes = Buffer.from(sealed)
        for (const [at, by] of changes) bytes[at] = (bytes[at] ?? 0) ^ by
        if (bytes.equals(sealed)) return
        expect(thrown(() => open(bytes)).exitCode).toBe(6)
      }),
    )
  })

  test('is never opened when it is any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(thrown(() => open(Buffer.from(bytes)))).toEqual(NOT_SEALED)
      }),
    )
  })

  test('does not open with another key', () => {
    const withOther = { ...FILE_KEY, sealingKey: () => randomBytes(32) }
    expect(thrown(() => openSealed(sealed, 'work', () => withOther))).toEqual(CHANGED)
  })
})

describe('the header of an envelope', () => {
  const line = sealed.toString('latin1', 0, headerLength)

  test.each([
    ['generation', line.replace('"generation":7', '"generation":8')],
    ['nonce', line.replace(/"nonce":"[^"]+"/, '"nonce":"AAAAAAAAAAAAAAAA"')],
    ['version', line.replace('/1 ', '/01 ')],
    ['spelling', line.replace('"generation":7', '"generation": 7')],
    ['number of names', line.replace('}\n', ',"more":1}\n')],
    ['order', line.replace(/\{("key_source":"file"),(.*)\}/, '{$2,$1}')],
  ])('is sealed with the text: another %s is noticed', (_what, changed) => {
    expect(changed).not.toBe(line)
    expect(thrown(() => open(withHeader(changed)))).toEqual(CHANGED)
  })

  test('is sealed with the text: another profile is noticed by the profile that it was given to', () => {
    const changed = withHeader(line.replace('"profile":"work"', '"profile":"home"'))
    expect(thrown(() => openSealed(changed, 'home', () => FILE_KEY))).toEqual(CHANGED)
  })

  test('is sealed with the text: an envelope cannot be freed from its machine', () => {
    const changed = withHeader(line.replace(`"machine":"${HEADER.machine}"`, '"machine":null'))
    expect(thrown(() => open(changed))).toEqual(CHANGED)
  })

  test.each(['2', '10', '999999999'])('of format %s is of a newer version', (version) => {
    expect(thrown(() => open(withHeader(line.replace('/1 ', `/${version} `))))).toEqual({
      code: 'store_newer',
      exitCode: 6,
      message: `The stored credential has format ${version}; this version reads up to 1.`,
      nextStep: 'npm install -g codex-auth@latest',
    })
  })

  test.each(['codex-auth-credential/2 ', 'codex-auth-credential/2 anything at all'])(
    'of a newer format may look like anything else: %j',
    (text) => {
      expect(thrown(() => open(Buffer.from(text))).code).toBe('store_newer')
    },
  )

  test.each([
    'codex-auth-credential/ {}',
    'codex-auth-credential/1.5 {}',
    'codex-auth-credential/1000000000 {}',
    '\ufeff',
  ])('that begins with %j is none', (text) => {
    expect(thrown(() => open(withHeader(`${text}\n`)))).toEqual(NOT_SEALED)
  })

  test.each(['', '{', '{"key_source":"file"', 'nonsense', '{}}'])('that is %j cannot be read', (json) => {
    expect(thrown(() => open(withHeader(`codex-auth-credential/1 ${json}\n`)))).toEqual(NO_HEADER)
  })

  const WHOLE = {
    key_source: 'file',
    key_id: HEADER.keyId,
    machine: null,
    profile: 'work',
    generation: 7,
    nonce: 'AAAAAAAAAAAAAAAA',
  }

  test.each([
    null,
    0,
    '',
    'text',
    true,
    [],
    {},
    ...Object.keys(WHOLE).map((name) => ({ ...WHOLE, [name]: undefined })),
    ...[null, 'keyring', 1].map((key_source) => ({ ...WHOLE, key_source })),
    ...[null, 1, []].map((key_id) => ({ ...WHOLE, key_id })),
    ...[1, false, {}].map((machine) => ({ ...WHOLE, machine })),
    ...[null, 1].map((profile) => ({ ...WHOLE, profile })),
    ...[null, '7', 0.5, 2 ** 53].map((generation) => ({ ...WHOLE, generation })),
    ...[null, '', 'AAAA', 'AAAAAAAAAAAAAAAAAAAA', 12].map((nonce) => ({ ...WHOLE, nonce })),
  ])('that is %j is not one that is written', (header) => {
    const bytes = withHeader(`codex-auth-credential/1 ${JSON.stringify(header)}\n`)
    expect(thrown(() => open(bytes))).toEqual(OTHER_HEADER)
  })

  test('is looked for only where it can be', () => {
    const late = Buffer.concat([Buffer.from('codex-auth-credential/1 '.padEnd(1024)), sealed])
    expect(thrown(() => open(late))).toEqual(TOO_EARLY)
  })
})

describe('a derived key', () => {
  test('is HKDF with SHA-256 (RFC 5869) over secret, salt and purpose', () => {
    const [secret, salt, purpose] = [Buffer.alloc(32, 7), 'salt', 'purpose']
    // Extract and expand by hand, for one block of output.
    const key = hmac(Buffer.from(salt), secret)
    const expanded = hmac(key, Buffer.from(`codex-auth/1 ${purpose}\x01`))
    expect(derive(secret, salt, purpose)).toEqual(expanded)
  })

  test('is another one for every secret, salt and purpose', () => {
    const keys = [
      derive(KEY, '', 'credential'),
      derive(randomBytes(32), '', 'credential'),
      derive(KEY, 'machine', 'credential'),
      derive(KEY, '', 'key id'),
    ]
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(4)
  })
})

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest()
}
