// Asks a model for a word, as anybody would with the official package, and prints the answer.
import process from 'node:process'
import OpenAI from 'openai'

const response = await new OpenAI({ maxRetries: 0 }).responses.create({ model: 'gpt-5', input: 'Say hello.' })
process.stdout.write(`${response.output_text}\n`)
