import type { Scene } from './scene.ts'
import { SCENES } from './scenes.ts'
import { settled, type Addresses } from './settled.ts'
import { openTheatre, type Theatre } from './stage.ts'

const HEAD = `# In a terminal

What the built program shows in a real terminal, captured from tmux by \`npm run captures\`, which plays every scene on this page; a test holds the page
against a new run. The issuers are on the same machine: a stand-in for OpenAI's, \`oidc-provider\` and \`oauth2-mock-server\`. Long random parts
of addresses are shortened, and what is different each time (ports, codes, dates) is the same here each time. The captures are
made in a container; what is said because of that is left out in all scenes but the one about it.
`

/** Plays every scene, and resolves with the page that shows them. */
export async function terminalPage(): Promise<string> {
  const theatre = await openTheatre()
  try {
    const parts: string[] = []
    for (const scene of SCENES) parts.push(part(scene, await capture(scene, theatre)))
    return [HEAD, ...parts].join('\n')
  } finally {
    await theatre.close()
  }
}

async function capture(scene: Scene, theatre: Theatre): Promise<string> {
  const terminal = await theatre.open(scene)
  try {
    await scene.play(terminal, theatre)
    return settled(await terminal.ended(), addressesOf(theatre))
  } finally {
    await terminal.close()
  }
}

function addressesOf({ issuer, provider, otherServer, home }: Theatre): Addresses {
  return [
    [issuer.issuer, 'http://127.0.0.1:40001'],
    [provider.issuer, 'http://127.0.0.1:40002'],
    [otherServer, 'http://localhost:40003'],
    [home, '/home/alice'],
  ]
}

function part({ title, columns }: Scene, shown: string): string {
  const heading = columns === undefined ? title : `${title} (${columns} columns)`
  const text = /container/i.test(title) ? shown : withoutContainer(shown)
  return `## ${heading}\n\`\`\`console\n${text.replace(/\n\$$/, '')}\n\`\`\`\n`
}

/** However many lines it takes. */
function withoutContainer(shown: string): string {
  return shown.replace(/^In a container, [^.]*\.\d\.\d\.\d[^.]*\.\n/m, '')
}
