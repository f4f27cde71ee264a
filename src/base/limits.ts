/** Every bound of Salver, in one place, each with its reason. */

/** A join key's value and its names fit a cache page or two; DynamoDB's own key bound is 2 KiB. */
export const KEY_BYTES_MAX = 1024

/** DynamoDB refuses items over 400 KB: the same row must fit both stores. */
export const ROW_BYTES_MAX = 400 * 1000

/** Two bits a feature and a column map in every reply: past this a view wants to be split. */
export const FEATURES_PER_VIEW_MAX = 4096

/** A table or layout number is 16 bits in a log entry. */
export const TABLES_MAX = 65535
export const LAYOUTS_MAX = 65535

/** Times are exact as IEEE doubles of microseconds within this (years 1684 to 2255). */
export const TIME_US_MAX = 2 ** 53

/** One mis-scaled stamp far ahead would lock its key for ever; clocks drift less than this. */
export const FUTURE_MARGIN_US = 10 * 60 * 1_000_000

/** A late event older than this may come back to life after a delete (7 days: Kafka's default retention). */
export const TOMBSTONE_RETENTION_US = 7 * 24 * 3600 * 1_000_000

/** 500 candidates x a few keys fit 16 times over; JSON of that is about 1 MB. */
export const READ_BODY_BYTES_MAX = 8 * 1024 * 1024
/** One bulk write: 64 k rows of 250 bytes. */
export const WRITE_BODY_BYTES_MAX = 32 * 1024 * 1024
/** A ranker asks hundreds; a batch job thousands; past this it should page. */
export const ENTITIES_PER_REQUEST_MAX = 10_000
export const FEATURES_PER_REQUEST_MAX = 10_000
/** Join keys of one request: every view of a service brings a few. */
export const COLUMNS_PER_REQUEST_MAX = 256
/** Cells of one reply: bounds a reply to about 100 MB of binary, 500 MB of JSON. */
export const CELLS_PER_REQUEST_MAX = 10_000_000
/** One reply, whatever its format: rows bring features that were not asked, texts have no length of their own. */
export const REPLY_BYTES_MAX = 512 * 1024 * 1024
/** Requests being answered at once; each holds at most one body and one reply. */
export const REQUESTS_IN_FLIGHT_MAX = 1024
/** Write requests among them: reads keep the rest. */
export const WRITES_IN_FLIGHT_MAX = 512
/** Bodies of writes held at once: eight of the largest. Past it a direct write is shed, a batch waits unread. */
export const WRITE_BODIES_BYTES_MAX = 256 * 1024 * 1024
/** A body that has not arrived by then comes from a stalled client (32 MiB in it is 13 Mbit/s). */
export const BODY_MS_MAX = 20_000
/** A kept-alive connection without traffic; proxies in front idle longer or shorter, clients reconnect. */
export const IDLE_SECONDS_MAX = 60
/** What a client that was shed is asked to wait. */
export const RETRY_AFTER_SECONDS = 1

/** Rows of one chunk on its way from a source to the store. */
export const CHUNK_ROWS_MAX = 16_384
/** Bytes of such a chunk, keys and rows together: a commit group's quarter. */
export const CHUNK_BYTES_MAX = 4 * 1024 * 1024

/** Queues in front of the writer, in requests and in bytes: 64 MB a lane is what two lanes may hold. */
export const LANE_QUEUE_WRITES_MAX = 4096
export const LANE_QUEUE_BYTES_MAX = 64 * 1024 * 1024

/** A segment file; 2,048 of them are the 128 GiB that a 32-bit location of 32-byte units can name. */
export const SEGMENT_BYTES = 64 * 1024 * 1024
export const SEGMENTS_MAX = 2048
/** Zero-filled ahead of the writer in these steps (fdatasync of filled blocks costs half). */
export const SEGMENT_FILL_BYTES = 4 * 1024 * 1024
/** One commit group; must fit a segment and holds at least one row of the largest size. */
export const GROUP_BYTES_MAX = 8 * 1024 * 1024
/** A segment with less room than this is sealed: an entry of the largest size must fit three quarters. */
export const GROUP_ROOM_BYTES_MIN = 1024 * 1024
/** How long batch rows may fill one commit group: what a direct write waits at most behind them. */
export const BATCH_SHARE_MS_MAX = 2

/** Rows of one request in memory, whole: no reply is larger either. */
export const READ_BYTES_MAX = 512 * 1024 * 1024

/** Buffers of one answer kept for the next request: 10,000 rows of 400 bytes; larger ones are let go. */
export const ANSWER_BYTES_KEPT_MAX = 4 * 1024 * 1024
/** Of those in all, a serving thread's: as many as there are requests that wait, while they are small. */
export const WORKSPACES_BYTES_KEPT_MAX = 64 * 1024 * 1024
/** Batches of keys that a cache missed: as many requests at once as are likely to miss. */
export const WORKSPACES_KEPT_MAX = 16

/** The index grows in pieces of this size; a shard's table, a 256th of the index, must fit one. */
export const INDEX_SLAB_BYTES = 64 * 1024 * 1024
/** One step of compaction between two commit groups: what a direct write waits at most behind it. */
export const COMPACTION_STEP_MS_MAX = 2

/** The idle check of a log opened by snapshot: half the writer thread's time, in steps as short as this. */
export const SCRUB_STEP_MS_MAX = 2
export const SCRUB_PAUSE_MS = 2
/** After a step of compaction failed, at a full disk most likely. */
export const COMPACTION_RETRY_MS = 1_000

/** Plans cached by (features, options): a ranker has a handful; each is a few KB. */
export const PLANS_CACHED_MAX = 1024

/** How long SIGTERM lets requests under way finish. */
export const DRAIN_MS_MAX = 8_000
/** Then the store's, for its snapshot: without it the next open scans. Both stay under 10 s. */
export const STORE_CLOSE_MS_MAX = 1_500
/** What a scrape waits for the store's figures: a writer in a long step answers the next one. */
export const STORE_STATS_MS_MAX = 1_000
/** How often a served catalog is looked at for a change. */
export const CATALOG_POLL_MS = 5_000
/** How often a served store is asked whether it met damage: a warning soon enough for a probe. */
export const DAMAGE_POLL_MS = 2_000

/** Table names on DynamoDB end at 255 bytes; a name also stands in one log entry with its layout. */
export const NAME_BYTES_MAX = 255
/** A registry of 65,535 small views is about 30 MB. */
export const CATALOG_BYTES_MAX = 64 * 1024 * 1024

/** Nesting of JSON, maps and lists: recursion over them stays far from the end of the stack. */
export const NESTING_MAX = 64

/** Text files are read in steps of this size: one step's rows are a chunk or two. */
export const TEXT_BLOCK_BYTES = 1024 * 1024
/** The text of one row: forty times what the largest row has in bytes. An open quote ends here. */
export const TEXT_ROW_BYTES_MAX = 16 * 1024 * 1024

/**
 * Keys of one run that are remembered, 32 bytes each: by a source with created times, and by a dry
 * run. Two gibibytes; a larger run is to be split.
 */
export const RUN_KEYS_MAX = 64 * 1024 * 1024

/** Batches on their way to a sink at once, each of a chunk's size: one is written, one waits, one fills. */
export const SINK_BATCHES_MAX = 3
/** One request of a batch to a server: it may wait in the batch lane's queue. */
export const SERVER_WRITE_MS_MAX = 120_000
/** How long a request under way may still take once its batch is to end. */
export const SERVER_FINISH_MS_MAX = 5_000
/** How long a batch goes on asking a server that is full, restarts or can't be reached. */
export const SERVER_RETRY_MS_MAX = 120_000
/** A rejected row is shown in the rejects file up to so many characters. */
export const REJECTED_ROW_CHARS_MAX = 16 * 1024
/** Rows of one bulk write: four times what fills its bytes with rows of 500. Bounds its outcomes and reasons. */
export const ROWS_PER_WRITE_MAX = 262_144

/** One reply of DynamoDB: 16 MB of items, a third more in base64, names beside; past it something is wrong. */
export const STORE_REPLY_BYTES_MAX = 64 * 1024 * 1024

/** Keys of one BatchGetItem: DynamoDB refuses more. */
export const BATCH_GET_KEYS_MAX = 100

/** What a read without a deadline waits for a store over the network: no ranker waits so long. */
export const STORE_READ_MS_MAX = 2_000

/** Memory that kept rows may take: offsets past 2 GiB are slower to reach. */
export const CACHE_BYTES_MAX = 2 * 1024 * 1024 * 1024

/** One call about a table, tried again within: they are rare, and none is waited for by a request. */
export const TABLE_CALL_MS_MAX = 30_000
/** How long new tables are waited for; DynamoDB takes seconds, with many at once minutes. */
export const TABLE_READY_MS_MAX = 5 * 60_000
/** How often they are looked at meanwhile. */
export const TABLE_POLL_MS = 500

/** Calls of a remote store at once: half of the 256 that Bun's fetch runs, the rest is for writes and their looks. */
export const CALLS_IN_FLIGHT_MAX = 128
/**
 * Keys that wait for a free call: several requests of the largest size, or five rounds of all calls,
 * which is as long as a deadline usually lasts. Past it a request's keys fail at once.
 */
export const STORE_KEYS_WAITING_MAX = 65_536
/** One attempt: a call that hangs holds its place no longer, so all flows again within a second. */
export const CALL_MS_MAX = 800
/** Rest before a retry: a random share of 10 ms, doubled with each, up to what a deadline can bear. */
export const RETRY_MS_FIRST = 10
export const RETRY_MS_MAX = 200
/** Rest after a call that answered some keys: the store works, it only left out the others. */
export const RETRY_SOON_MS = 5
/** Retries for each first call: a store that is down gets a tenth more calls, not a multiple. */
export const RETRY_SHARE = 0.1
/** Retries saved up: a moment's failure of half the calls in flight is retried whole. */
export const RETRY_TOKENS_MAX = 64
/** Second calls beside a slow first one, for each first call. */
export const HEDGE_SHARE = 0.03
/** Hedges saved up: a slow moment of the whole store can't double its load. */
export const HEDGE_TOKENS_MAX = 8
/** A call younger than this is never slow: a second one would not be faster. */
export const HEDGE_MS_MIN = 2
/** Calls whose times tell what is slow, and how few of them tell nothing yet. */
export const CALL_TIMES_KEPT = 1024
export const CALL_TIMES_MIN = 100
/** Buffers of calls kept for the next, and their size at most: 64 MB in all. */
export const CALL_BATCHES_KEPT_MAX = 256
export const CALL_BATCH_BYTES_KEPT_MAX = 256 * 1024
/** Places of one waiting request kept for the next: a ranker asks hundreds. */
export const WAITER_PLACES_KEPT_MAX = 1024

/** Writes to DynamoDB under way at once; throttling halves it. Bun keeps 64 connections alive for reuse. */
export const STORE_WRITES_IN_FLIGHT_MAX = 64
/** One write, or one read before it: DynamoDB answers in milliseconds; past this it will not. */
export const STORE_WRITE_CALL_MS_MAX = 10_000
/** How long a write goes on asking a store that throttles or can't be reached. */
export const STORE_WRITE_RETRY_MS_MAX = 120_000
/** The first pause after throttling is up to this, then twice as much each time, up to the second. */
export const STORE_WRITE_PAUSE_MS_MIN = 25
export const STORE_WRITE_PAUSE_MS_MAX = 5_000
/** How often one write may meet an item that another writer changed meanwhile: a key is not that hot. */
export const STORE_WRITE_RACES_MAX = 32
/** Keys whose stored side is read and judged together times calls of 100 keys: 16 MB a reply at most. */
export const STORE_SLICES_IN_FLIGHT_MAX = 8
/** Items of one BatchWriteItem: DynamoDB refuses more. */
export const BATCH_WRITE_ITEMS_MAX = 25
/** DynamoDB's own bound of an item, attribute names included. */
export const ITEM_BYTES_MAX = 400 * 1024
/** DynamoDB's bound of an expression; a partial row with more features than fit is written whole. */
export const EXPRESSION_BYTES_MAX = 4096
/** Same content at a later time is written again after a quarter of the ttl; without a ttl after a day. */
export const REFRESH_WITHOUT_TTL_US = 24 * 3600 * 1_000_000
/** Entries of one record of a ledger: what may be torn at its end, and what one look at a file holds. */
export const LEDGER_RECORD_ENTRIES_MAX = 65_536
/** Keys of a run's input that are compared with the table before a ledger is believed. */
export const LEDGER_AUDIT_KEYS = 10_000
/** A ledger's journal may outgrow its rows by this much before it is written anew. */
export const LEDGER_JOURNAL_BYTES_MIN = 4 * 1024 * 1024

/** How often a store over the network is asked how it does: a probe sees its recovery within a second. */
export const REMOTE_WATCH_MS = 250
/** How long a table that DynamoDB refused is not asked again: it may have been made meanwhile. */
export const REFUSED_TABLE_MS = 1_000
/** Differences between a ledger and its table that are listed one by one; all are counted. */
export const LEDGER_DIFFERENCES_SHOWN_MAX = 1_000
/**
 * Parts of wide views that are asked for apart, each some KB of names; past it items are read whole. A
 * write tells each of them.
 */
export const PROJECTIONS_MAX = 256

/** Connections to DynamoDB kept between calls: as many as reads and writes may have under way together. */
export const CONNECTIONS_IDLE_MAX = 256
/** DynamoDB and what stands before it close idle connections after a minute or so: ours end before. */
export const CONNECTION_IDLE_MS_MAX = 30_000
/** Connections being opened at once; a host that drops packets leaves each for minutes. */
export const CONNECTIONS_OPENING_MAX = 256
/** Past that bound one is tried so often: a server that comes back is met within the blink of an eye. */
export const CONNECTION_PROBE_MS = 50

/** Opening a connection, TLS and all: farther than any region is. */
export const CONNECT_MS_MAX = 5_000

/** How long a table that can't be read is told of after it was last asked for. */
export const TABLE_PROBLEM_MS = 30_000
/** DynamoDB has to answer for so long before a log says so: a share of failures is no end of them. */
export const REMOTE_WELL_MS = 2_000
