/** What Feast's own serializers give: entity keys with their ids, and Values. */
import type { JoinKey, PlainValue } from '../../src/catalog/catalog.ts'
import type { ValueTypeName } from '../../src/catalog/value-type.ts'

type KeyVector = {
  readonly keys: readonly JoinKey[]
  readonly values: readonly PlainValue[]
  /** The whole serialization, version 3. */
  readonly hex: string
  readonly entityId: string
}

const int64 = (name: string): JoinKey => ({ name, type: 'INT64' })
const text = (name: string): JoinKey => ({ name, type: 'STRING' })

export const KEY_VECTORS: readonly KeyVector[] = [
  {
    keys: [int64('driver_id')],
    values: [1001],
    hex: '0100000002000000090000006472697665725f69640400000008000000e903000000000000',
    entityId: 'f3cfd4a822f245b63975464763babaec',
  },
  {
    keys: [int64('driver_id')],
    values: [1002n],
    hex: '0100000002000000090000006472697665725f69640400000008000000ea03000000000000',
    entityId: '1c2e07235588d781baea24f146ff4a77',
  },
  {
    keys: [int64('driver_id')],
    values: [-1],
    hex: '0100000002000000090000006472697665725f69640400000008000000ffffffffffffffff',
    entityId: 'b1bc9ae33dfca351329851e177634c44',
  },
  {
    keys: [int64('driver_id')],
    values: [9223372036854775807n],
    hex: '0100000002000000090000006472697665725f69640400000008000000ffffffffffffff7f',
    entityId: '7a3ea599a0248aa16f61daec74d6cd0d',
  },
  {
    keys: [{ name: 'driver_id', type: 'INT32' }],
    values: [1001],
    hex: '0100000002000000090000006472697665725f69640300000004000000e9030000',
    entityId: 'b2f5fdd66f883375bc3ed3d6a9d54ae5',
  },
  {
    keys: [text('user_id')],
    values: ['user123'],
    hex: '010000000200000007000000757365725f6964020000000700000075736572313233',
    entityId: 'a8f818c0466c9ee41bfab7fc717fd0c2',
  },
  {
    keys: [text('user_id')],
    values: [''],
    hex: '010000000200000007000000757365725f69640200000000000000',
    entityId: '6126c316ea54ed39fa34f6aad84de08a',
  },
  {
    keys: [text('user_id')],
    values: ['用户'],
    hex: '010000000200000007000000757365725f69640200000006000000e794a8e688b7',
    entityId: '2b19efcd98b2d4f6a8d363a4c98b4e76',
  },
  {
    keys: [{ name: 'blob', type: 'BYTES' }],
    values: [Uint8Array.of(0, 255)],
    hex: '010000000200000004000000626c6f62010000000200000000ff',
    entityId: 'd2ab22aa582371bf8c9508e1fb283573',
  },
  {
    keys: [{ name: 'e2', type: 'UNIX_TIMESTAMP' }],
    values: [1758823656],
    hex: '0100000002000000020000006532' + '0800000008000000e884d56800000000',
    entityId: '53b9fc59f0bf2ea79c8c0faa71fe131c',
  },
  {
    keys: [],
    values: [],
    hex: '01000000020000000a0000005f5f64756d6d795f69640200000000000000',
    entityId: 'de92cd1db280c7aa956cd0b5fe07eb08',
  },
  {
    keys: [text('session_id'), text('user_id')],
    values: ['sess456', 'user123'],
    hex: '02000000020000000a00000073657373696f6e5f69640200000007000000757365725f6964020000000700000073657373343536020000000700000075736572313233',
    entityId: 'b0cc9a6f1427bb59fcfb6ae7fff6fff1',
  },
  {
    keys: [int64('customer_id'), int64('driver_id')],
    values: [5, 1001],
    hex: '02000000020000000b000000637573746f6d65725f696402000000090000006472697665725f6964040000000800000005000000000000000400000008000000e903000000000000',
    entityId: '0a3a939ec6ac2764d730e46d0fdffe9f',
  },
  {
    keys: [text('alpha'), text('beta'), text('zebra')],
    values: ['a_val', 'b_val', 'z_val'],
    hex: '030000000200000005000000616c70686102000000040000006265746102000000050000007a656272610200000005000000615f76616c0200000005000000625f76616c02000000050000007a5f76616c',
    entityId: 'd0a1c651838e2658dc81aa2de5f75a83',
  },
  {
    // U+FFEE before U+1F600: the order of code points, not of UTF-16 units
    keys: [text('\uffee'), text('\u{1f600}')],
    values: ['2', '1'],
    hex: '020000000200000003000000efbfae0200000004000000f09f9880020000000100000032020000000100000031',
    entityId: '40e0393ecf6e218e9b2f3f3ed700702a',
  },
]

type ValueVector = {
  readonly hex: string
  readonly type: ValueTypeName | 'NULL'
  /** The value without its inner types, or what Feast's JSON shows of it. */
  readonly plain: PlainValue
  /** False where another writer's bytes are read that ours would not write. */
  readonly isCanonical: boolean
}

const vector = (
  hex: string,
  type: ValueTypeName | 'NULL',
  plain: PlainValue,
  isCanonical = true,
): ValueVector => ({ hex, type, plain, isCanonical })

export const VALUE_VECTORS: readonly ValueVector[] = [
  vector('', 'NULL', null),
  vector('980100', 'NULL', null, false), // null_val
  vector('1200', 'STRING', ''),
  vector('18ffffffffffffffffff01', 'INT32', -1),
  vector('2000', 'INT64', 0),
  vector('20ffffffffffffffffff01', 'INT64', -1),
  vector('20e907', 'INT64', 1001),
  vector('290000000000000000', 'DOUBLE', 0),
  vector('290000000000000080', 'DOUBLE', -0),
  vector('29000000000000f83f', 'DOUBLE', 1.5),
  vector('35cdcccc3d', 'FLOAT', 0.10000000149011612),
  vector('3801', 'BOOL', true),
  vector('3800', 'BOOL', false),
  vector('40a0dc9bc506', 'UNIX_TIMESTAMP', 1755770400),
  vector('5a050a01610a00', 'BYTES_LIST', [Uint8Array.of(0x61), new Uint8Array(0)]),
  vector('6a0d0a0b01ffffffffffffffffff01', 'INT32_LIST', [1, -1]),
  vector('72050a0301ac02', 'INT64_LIST', [1, 300]),
  vector('7a0a0a08000000000000e03f', 'DOUBLE_LIST', [0.5]),
  vector('8a01040a020100', 'BOOL_LIST', [true, false]),
  vector('9201070a05a0dc9bc506', 'UNIX_TIMESTAMP_LIST', [1755770400]),
  vector('a201090a070a016b12022001', 'MAP', { k: 1 }),
  vector('aa010c0a0a0a080a016b1203120176', 'MAP_LIST', [{ k: 'v' }]),
  vector('b201030a0161', 'BYTES_SET', [Uint8Array.of(0x61)]),
  vector('ba01030a0161', 'STRING_SET', ['a']),
  vector('ca01030a0101', 'INT64_SET', [1]),
  vector('8202077b2261223a317d', 'JSON', '{"a":1}'),
  vector('8a02030a0131', 'JSON_LIST', ['1']),
  vector('9202070a050a016b1200', 'STRUCT', { k: null }),
  vector('9a0200', 'STRUCT_LIST', []),
  vector('aa020174', 'TIME_UUID', 't'),
  vector('b202030a0175', 'UUID_LIST', ['u']),
  vector('c202030a0175', 'UUID_SET', ['u']),
  vector('d202070a0572030a0101', 'VALUE_LIST', [[1]]),
  vector('da02020a00', 'VALUE_SET', [null]),
  vector('e20204312e3130', 'DECIMAL', '1.10'),
  vector('ea02050a03312e31', 'DECIMAL_LIST', ['1.1']),
  vector('f202050a03312e31', 'DECIMAL_SET', ['1.1']),
  vector('fa020a0a080a02100112022001', 'NULL', null, false), // a scalar map
  vector(
    '82031b08a0dc9bc5061213416d65726963612f4c6f735f416e67656c6573',
    'ZONED_TIMESTAMP',
    '2025-08-21T03:00:00-07:00',
  ),
]
