/**
 * Whose log a segment of etcd's write-ahead log is. Every segment begins with a checksum record and the metadata record
 * (server/storage/wal, `WAL.cut`): a frame is a little-endian 64-bit length whose lowest 56 bits count the bytes of the
 * record and whose top byte counts padding; the record is the protobuf `walpb.Record {1: type, 2: crc, 3: data}`; data
 * of type 1 is `etcdserverpb.Metadata {1: NodeID, 2: ClusterID}`.
 *
 * @returns hex ids, as etcdctl prints them; undefined when the bytes are no such log.
 */
export function walIdentity(segment: Uint8Array): { clusterId: string; memberId: string } | undefined {
  const bytes = Buffer.from(segment);
  let offset = 0;
  for (let frame = 0; frame < 2 && offset + 8 <= bytes.length; frame++) {
    const length = Number(bytes.readBigUInt64LE(offset) & 0x00ffffffffffffffn);
    const padding = bytes.readUInt8(offset + 7) & 0x80 ? bytes.readUInt8(offset + 7) & 0x7 : 0;
    const record = fieldsOf(bytes.subarray(offset + 8, offset + 8 + length));
    const data = record.get(3);
    if (record.get(1) === 1n && data instanceof Uint8Array) return identityFrom(data);
    offset += 8 + length + padding;
  }
  return undefined;
}

function identityFrom(metadata: Uint8Array): { clusterId: string; memberId: string } | undefined {
  const fields = fieldsOf(metadata);
  const [memberId, clusterId] = [fields.get(1), fields.get(2)];
  if (typeof memberId !== 'bigint' || typeof clusterId !== 'bigint') return undefined;
  return { clusterId: clusterId.toString(16), memberId: memberId.toString(16) };
}

/** A protobuf message's varint and length-delimited fields by number; stops at anything else. */
function fieldsOf(message: Uint8Array): ReadonlyMap<number, bigint | Uint8Array> {
  const fields = new Map<number, bigint | Uint8Array>();
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; offset < message.length; shift += 7n) {
      const byte = message[offset++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return BigInt.asUintN(64, value);
  };
  while (offset < message.length) {
    const key = Number(varint());
    if ((key & 7) === 0) fields.set(key >> 3, varint());
    else if ((key & 7) === 2) {
      const length = Number(varint());
      fields.set(key >> 3, message.subarray(offset, offset + length));
      offset += length;
    } else break;
  }
  return fields;
}
