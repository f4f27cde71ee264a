/** How requests travel: one POST to one server, and its reply whole. */

export type HttpReply = { readonly status: number; readonly body: Uint8Array }

export interface HttpTransport {
  /**
   * Sends a POST and resolves with its reply, whatever its status. Rejects where none came whole: a
   * connection refused, cut, or given up: `msMax` milliseconds passed, or `signal` was aborted. Never
   * tries again by itself: only who asked knows whether that is safe.
   */
  post(
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    msMax: number,
    signal: AbortSignal | undefined,
  ): Promise<HttpReply>
}
