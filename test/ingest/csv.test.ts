import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CsvCells } from '../../src/ingest/csv-cells.ts'
import { openSource } from '../../src/ingest/open-source.ts'
import { SeededRandom, stepsOf } from '../base/seeded-random.ts'
import { ingest, makeSource, makeView, openStore, readRows, temporaryFolder } from './ingest-rig.ts'

type Cell = string | null

/** Rows of a text as CSV; a text in place of a row says what is wrong with it. */
function rowsOf(text: string | Uint8Array, width = 0): (Cell[] | string)[] {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const cells = new CsvCells(bytes, true)
  if (!cells.read(1000, width)) return []
  return Array.from({ length: cells.rows }, (_, row) => {
    const fault = cells.faults.get(row)
    if (fault !== undefined) return fault
    return Array.from({ length: cells.width(row) }, (__, column) => cells.text(row, column))
  })
}

describe('cells', () => {
  test('are null where nothing stands, and the empty text where two quotes stand', () => {
    expect(rowsOf('a,,"",b\n,\n""\n')).toEqual([['a', null, '', 'b'], [null, null], ['']])
  })

  test('may hold commas, line breaks and doubled quotes in quotes', () => {
    expect(rowsOf('"a,b","c\r\nd","say ""hi"""\n')).toEqual([['a,b', 'c\r\nd', 'say "hi"']])
  })

  test('end with LF, CRLF or the file', () => {
    expect(rowsOf('a,b\r\nc,d\ne,f')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['e', 'f'],
    ])
    expect(rowsOf('a,b\r\n"c","d"\r\n')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
    expect(rowsOf('a,')).toEqual([['a', null]])
    expect(rowsOf('a,"b"')).toEqual([['a', 'b']])
  })

  test('keep a carriage return and a quote that end nothing', () => {
    expect(rowsOf('a\rb,c"d\n')).toEqual([['a\rb', 'c"d']])
  })

  test('skip blank lines', () => {
    expect(rowsOf('\n\r\na,b\n\n\nc,d\n\n')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
  })

  test('with text behind a closing quote, or too few or many of them, spoil their row alone', () => {
    expect(rowsOf('"a"x,b\nc,d\ne\nf,g,h\ni,"j" \nk,l\n', 2)).toEqual([
      'text stands after the closing quote of a cell',
      ['c', 'd'],
      '1 cells where the header has 2',
      '3 cells where the header has 2',
      'text stands after the closing quote of a cell',
      ['k', 'l'],
    ])
  })

  test('that are not UTF-8 spoil their row alone', () => {
    const bytes = Buffer.from('a,é\nb,?\nc,é\n')
    bytes[bytes.indexOf('?')] = 0xff
    expect(rowsOf(bytes, 2)).toEqual([['a', 'é'], 'not UTF-8', ['c', 'é']])
  })

  test('come back from any text that a writer quotes, wherever the bytes are cut', () => {
    const random = new SeededRandom('csv cells')
    for (let step = 0; step < stepsOf(300); step++) {
      const width = 1 + random.below(4)
      const rows = random.list(6, () => Array.from({ length: width }, () => randomCell(random)))
      const kept = rows.filter((row) => row.length > 1 || row[0] !== null) // else a blank line
      const bytes = new TextEncoder().encode(
        kept.map((row) => row.map((cell) => quoted(random, cell)).join(',')).join('\n'),
      )
      expect(readInPieces(bytes, 1 + random.below(bytes.length + 1))).toEqual(kept)
    }
  })
})

function randomCell(random: SeededRandom): Cell {
  if (random.chance(0.2)) return null
  return random.list(5, () => random.pick(['a', '"', ',', '\n', '\r', 'é', '😀', ' '])).join('')
}

function quoted(random: SeededRandom, cell: Cell): string {
  if (cell === null) return ''
  const mustQuote = cell === '' || /[",\n\r]/.test(cell)
  return mustQuote || random.chance(0.3) ? `"${cell.replaceAll('"', '""')}"` : cell
}

/** As a file is read: what is not whole yet waits for the next block. */
function readInPieces(bytes: Uint8Array, blockBytes: number): Cell[][] {
  const rows: Cell[][] = []
  let rest = new Uint8Array(0)
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = Buffer.concat([rest, bytes.subarray(at, at + blockBytes)])
    const cells = new CsvCells(block, at + blockBytes >= bytes.length)
    while (cells.read(2, 0)) {
      for (let row = 0; row < cells.rows; row++) {
        rows.push(Array.from({ length: cells.width(row) }, (_, column) => cells.text(row, column)))
      }
    }
    rest = Uint8Array.from(block.subarray(cells.end))
  }
  return rows
}

const VIEW = makeView({
  keys: { id: 'INT64' },
  features: {
    clicks: 'INT64',
    small: 'INT32',
    ctr: 'FLOAT',
    exact: 'DOUBLE',
    hot: 'BOOL',
    name: 'STRING',
    seen: 'UNIX_TIMESTAMP',
    emb: 'FLOAT_LIST',
    price: 'DECIMAL',
    blob: 'BYTES',
    more: 'MAP',
  },
  changes: { batchSource: makeSource() },
})

function writeCsv(lines: readonly string[]): string {
  const path = join(temporaryFolder(), 'rows.csv')
  writeFileSync(path, lines.join('\n'))
  return path
}

const HEADER = 'id,event_timestamp,clicks,small,ctr,exact,hot,name,seen,emb,price,blob,more'

describe('a CSV file', () => {
  test('is typed by its view', async () => {
    const store = await openStore()
    const path = writeCsv([
      HEADER,
      '9007199254740993,2026-01-02 03:04:05.000006,9223372036854775807,-5,0.1,1e-7,True,"a, b",2026-01-02,"[1, 2.5]",1.10,AP8=,"{""a"":[1,2]}"',
      '1,2026-01-02T03:04:05Z,,,nan,inf,0,"",1700000000,,,,',
      '2,2026-01-02T03:04:05+02:00,3.0,4.,7,-inf,FALSE,,,[],,"",{}',
    ])
    const receipt = await ingest(store, VIEW, path)
    expect(receipt).toMatchObject({ read: 3, new: 3, rejected: 0 })
    const rows = readRows(store, VIEW)
    expect(rows.get('9007199254740993')).toEqual({
      clicks: 9223372036854775807n,
      small: -5,
      ctr: Math.fround(0.1),
      exact: 1e-7,
      hot: true,
      name: 'a, b',
      seen: Date.parse('2026-01-02') / 1000,
      emb: [1, 2.5],
      price: '1.10',
      blob: Uint8Array.of(0, 255),
      more: { a: [1, 2] },
      event_timestamp: Date.parse('2026-01-02T03:04:05Z') * 1000 + 6,
    })
    expect(rows.get('1')).toMatchObject({ ctr: null, exact: Infinity, hot: false, name: '' })
    expect(rows.get('1')).toMatchObject({ clicks: null, emb: null, seen: 1700000000, more: null })
    expect(rows.get('2')).toMatchObject({ clicks: 3, small: 4, name: null, emb: [], hot: false })
    expect(rows.get('2')!['event_timestamp']).toBe(Date.parse('2026-01-02T01:04:05Z') * 1000)
    await store.close()
  })

  test('may be packed, begin with a byte order mark and be longer than a block', async () => {
    const view = makeView({ keys: { id: 'INT64' }, features: { text: 'STRING' } })
    const path = join(temporaryFolder(), 'rows.csv.gz')
    const lines = ['\ufeffid,text,event_timestamp']
    const rows = 30_000
    for (let id = 0; id < rows; id++) {
      lines.push(`${id},"line ${id}\nof ""${'é'.repeat(id % 40)}""",2026-01-01`)
    }
    writeFileSync(path, Bun.gzipSync(new TextEncoder().encode(lines.join('\r\n'))))
    const store = await openStore()
    const progress: number[] = []
    const receipt = await ingest(store, view, path, {
      onProgress: ({ fraction }) => progress.push(fraction),
    })
    expect(receipt).toMatchObject({ read: rows, new: rows, rejected: 0 })
    expect(readRows(store, view).get('29999')).toMatchObject({
      text: `line 29999\nof "${'é'.repeat(39)}"`,
    })
    expect(progress.at(-1)).toBe(1)
    await store.close()
  })

  const refusals: readonly [what: string, text: string, message: RegExp][] = [
    ['without a header', '\n\n', /has no header/],
    ['with two columns of one name', 'id,id\n', /two columns are named id/],
    ['with a column without a name', 'id,,x\n', /column 2 has no name/],
    ['that ends inside a quoted cell', 'id,a\n1,2\n3,"4\n5,6\n', /row 2 ends inside a quoted cell/],
    ['whose header is broken', '"id"x,b\n1,2\n', /header can't be read/],
  ]
  for (const [what, text, message] of refusals) {
    test(`${what} is refused`, async () => {
      const path = writeCsv([text])
      const read = async () => {
        const source = await openSource(path, '')
        for (const file of source.files) for await (const _ of file.chunks()) continue
      }
      await expect(read()).rejects.toMatchObject({ code: 'source_invalid', where: path })
      await expect(read()).rejects.toThrow(message)
    })
  }
})
