/** Reads a source whole, and tells how many rows it has, or the fault. */
import { Fault } from '../../src/base/fault.ts'
import { openSource } from '../../src/ingest/open-source.ts'

async function told(path: string): Promise<object> {
  try {
    let rows = 0
    for (const file of (await openSource(path, '')).files) {
      for await (const chunk of file.chunks()) rows += chunk.rows
    }
    return { rows }
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    return { code: fault.code, where: fault.where, message: fault.message }
  }
}

console.log(JSON.stringify(await told(process.argv[2]!)))
