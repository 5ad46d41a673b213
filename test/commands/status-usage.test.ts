import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { statusOf, timestamp } from '../support/expected-output.ts'
import { startFakeBackend, type FakeBackend } from '../support/fake-backend.ts'
import { answers, credentialOf, startFakeIssuer, type FakeIssuer } from '../support/fake-issuer.ts'
import { temporaryHome, type Home, type RunOptions } from '../support/fake-surroundings.ts'

let issuer: FakeIssuer
let backend: FakeBackend
let home: Home

beforeEach(async () => {
  issuer = await startFakeIssuer()
  backend = await startFakeBackend({ accepts: (token) => issuer.accepts(token) })
  home = temporaryHome()
  await home.run(`config set chatgpt_base_url ${backend.chatgptBaseUrl}`)
})

afterEach(async () => {
  home.remove(issuer.secrets)
  await Promise.all([issuer.close(), backend.close()])
})

async function keepLogin(changes = {}) {
  const credential = { ...credentialOf(issuer.issueLogin()), ...changes }
  await home.keep(credential)
  return { credential, now: credential.obtainedAt }
}

/** The lines that tell of use, which are the last. */
async function usageLines(options: RunOptions = {}) {
  const { exitCode, stdout, stderr } = await home.run('status --usage', options)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  const place = lines.findIndex((line) => line.startsWith('  Stored in '))
  return lines.slice(lines.findIndex((line, at) => at > place && /^ {2}\S/.test(line)))
}

function limit(used_percent: unknown, limit_window_seconds: unknown, more: object = {}) {
  return {
    limit_reached: false,
    primary_window: { used_percent, limit_window_seconds, reset_after_seconds: null, ...more },
  }
}

const TERMINAL = { stdoutIsTerminal: true, env: { LANG: 'C.UTF-8' } }

describe('status --usage', () => {
  test('shows plan, windows and credits', async () => {
    const { now } = await keepLogin()
    expect(await usageLines({ now })).toEqual([
      '  Plan         plus',
      '  5 hours      #############-----------------  42 % used, resets in 2 h 10 min',
      '  Week         #####-------------------------  15 % used, resets in 3 d 4 h',
      '  Credits      12.34 left',
    ])
    expect(backend.requests.map(({ path }) => path)).toEqual(['/backend-api/wham/usage'])
  })

  test('prints all of it with --json', async () => {
    const { credential, now } = await keepLogin()
    const { stdout, ...rest } = await home.run('status --usage --json', { now })
    expect(rest).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual(
      statusOf(home, credential, now, {
        verification: 'valid',
        usage: {
          plan: 'plus',
          limit_reached: false,
          limit_reached_type: null,
          limits: [
            {
              name: null,
              limit_reached: false,
              windows: [
                {
                  name: '5 hours',
                  window_seconds: 18_000,
                  used_percent: 42,
                  resets_at: timestamp(now + 7800),
                  resets_in: 7800,
                },
                {
                  name: 'week',
                  window_seconds: 604_800,
                  used_percent: 15,
                  resets_at: timestamp(now + 273_600),
                  resets_in: 273_600,
                },
              ],
            },
          ],
          credits: { has_credits: true, unlimited: false, balance: '12.34' },
          spend_control: null,
        },
      }),
    )
  })

  test.each([
    [40, ['█████░░░░░░░░  42 % used', '               resets in 2 h 10 min']],
    [57, ['█████████████░░░░░░░░░░░░░░░░░  42 % used', '               resets in 2 h 10 min']],
    [58, ['███░░░░░  42 % used, resets in 2 h 10 min']],
    [80, ['█████████████░░░░░░░░░░░░░░░░░  42 % used, resets in 2 h 10 min']],
    [120, [`${'█'.repeat(17)}${'░'.repeat(23)}  42 % used, resets in 2 h 10 min`]],
  ])('fits a terminal of %i columns', async (columns, [first = '', ...more]) => {
    const { now } = await keepLogin()
    const lines = await usageLines({ ...TERMINAL, columns, now })
    expect(lines.slice(1, 2 + more.length)).toEqual([`  5 hours      ${first}`, ...more])
    expect(lines.filter((line) => line.length >= columns)).toEqual([])
  })

  test.each<[string, RunOptions, string]>([
    ['a terminal with UTF-8', { stdoutIsTerminal: true, env: { LC_ALL: 'de_DE.utf8', LANG: 'C' } }, '█'],
    ['a new terminal of Windows', { stdoutIsTerminal: true, env: { WT_SESSION: '1' } }, '█'],
    ['a terminal without UTF-8', { stdoutIsTerminal: true, env: { LC_ALL: 'C', LANG: 'C.UTF-8' } }, '#'],
    ['a terminal that can do nothing', { ...TERMINAL, env: { ...TERMINAL.env, TERM: 'dumb' } }, '#'],
    ['a file', { env: { LANG: 'C.UTF-8' } }, '#'],
  ])('draws for %s', async (_, options, sign) => {
    await keepLogin()
    expect((await usageLines(options))[1]).toContain(`  5 hours      ${sign}`)
  })

  test('tells of every other limit by its name, and of what is reached', async () => {
    const { now } = await keepLogin()
    backend.usage = {
      plan_type: 'team',
      rate_limit: { ...limit('100', 604_799, { reset_after_seconds: '0' }), limit_reached: true },
      code_review_rate_limit: limit(0, 86_400),
      additional_rate_limits: [
        { limit_name: 'GPT-5 Spark', rate_limit: { ...limit(99.9, 2_592_000), allowed: false } },
        { limit_name: 'Video', rate_limit: { ...limit(null, null), limit_reached: true } },
      ],
      credits: { has_credits: false, unlimited: false, balance: '0' },
      spend_control: {
        reached: true,
        individual_limit: { limit: '50', used: '50', used_percent: 0.4, reset_after_seconds: 60 },
      },
      rate_limit_reached_type: { type: 'workspace_member_credits_depleted' },
    }
    expect(await usageLines({ now })).toEqual([
      '  Plan         team',
      `  Week         ${'#'.repeat(30)} 100 % used, resets now`,
      '  Limit for    code review',
      `  1 d          ${'-'.repeat(30)}   0 % used`,
      '  Limit for    GPT-5 Spark',
      `  30 d         ${'#'.repeat(29)}-  99 % used`,
      '  Limit for    Video (reached)',
      '  Window       use not told',
      '  Limit        reached: workspace member credits depleted',
      '  Credits      none',
      '  Spending     50 of 50',
      `               #${'-'.repeat(29)}   0 % used, resets in 1 min`,
      '  Spending     limit reached',
    ])
  })

  test.each([
    ['unlimited', { credits: { unlimited: true, balance: '0' } }, ['  Credits      unlimited']],
    ['untold', { credits: {} }, []],
    ['reached', { rate_limit: { limit_reached: true } }, ['  Limit        reached']],
    [
      'reached, in the usual word',
      { rate_limit_reached_type: { type: 'rate_limit_reached' } },
      ['  Limit        reached'],
    ],
    [
      'spent',
      { spend_control: { individual_limit: { used_percent: 100 } } },
      [`  Spending     ${'#'.repeat(30)} 100 % used`],
    ],
    [
      'not to be known',
      { spend_control: { individual_limit: { limit: 5 } } },
      ['  Spending     an unknown part of 5'],
    ],
  ])('says what is %s', async (_, usage, lines) => {
    await keepLogin()
    backend.usage = { plan_type: 'pro', ...usage }
    expect(await usageLines()).toEqual(['  Plan         pro', ...lines])
  })

  test('shows nothing that could steer a terminal', async () => {
    await keepLogin()
    backend.usage = {
      plan_type: '\u001b[2Jplus\u009b0m',
      additional_rate_limits: [{ limit_name: 'a\r\u001b]8;;http://evil\u0007b', rate_limit: {} }],
    }
    expect(await usageLines(TERMINAL)).toEqual([
      '  Plan         [2Jplus 0m',
      '  Limit for    a ]8;;http://evil b',
    ])
  })

  test('is not known to the API', async () => {
    await keepLogin({ method: 'api_key', refreshToken: undefined })
    await home.run(`config set openai_base_url ${backend.openaiBaseUrl}`)
    expect(await usageLines()).toEqual(['  Usage        not told for this kind of login'])
    const { stdout } = await home.run('status --usage --json')
    expect(JSON.parse(stdout)).toMatchObject({ verification: 'valid', usage: null })
  })

  test('that cannot be asked for ends with 5', async () => {
    await keepLogin()
    backend.nextAnswers.push(answers.html(502))
    const { exitCode, stdout } = await home.run('status --usage --json')
    expect({ exitCode, json: JSON.parse(stdout) as unknown }).toMatchObject({
      exitCode: 5,
      json: { state: 'unknown', verification: 'unknown', usage: null },
    })
  })
})
