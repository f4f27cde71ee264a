/** What a ledger asks of the disk: the file layer that the embedded store has serves it, and is handed in. */

export interface LedgerFileHandle {
  size(): number
  /** Reads up to `target.length` bytes and returns how many there were. */
  read(target: Uint8Array, offset: number): number
  /** Writes some of `source` and returns how much. */
  writeSome(source: Uint8Array, offset: number): number
  truncate(bytes: number): void
  /** fdatasync, without holding up the thread. */
  sync(): Promise<void>
  syncNow(): void
  close(): void
}

export interface LedgerDisk {
  /** Throws a Fault that names who holds it. */
  lock(directory: string, kind: 'write'): { readonly release: () => void }
  /** `create` makes a new file and refuses an old one. */
  open(path: string, mode: 'read' | 'write' | 'create'): LedgerFileHandle
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Names in a directory, without `.` and `..`; undefined if there is no such directory. */
  names(directory: string): readonly string[] | undefined
  makeDirectory(path: string): void
  /** Makes creates, renames and unlinks in a directory durable. */
  syncDirectory(path: string): void
}
