/** Longest message taken from the other side: a run with many lossless crops stays far below. */
export const MAXIMUM_MESSAGE_BYTES = 256 * 1024 * 1024;

/** A message as it travels: four bytes of length (big-endian), then JSON in UTF-8. */
export function encodeMessage(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message), 'utf8');
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, 4);
  return frame;
}

/** Cuts a byte stream into messages. */
export class MessageReader {
  private chunks: Buffer[] = [];
  private length = 0;

  /**
   * @returns the messages completed by `chunk`
   * @throws Error when a length is beyond `limit` or a body is not JSON: the stream is not ours, close it
   */
  push(chunk: Buffer, limit = MAXIMUM_MESSAGE_BYTES): unknown[] {
    this.chunks.push(chunk);
    this.length += chunk.length;
    const messages: unknown[] = [];
    while (this.length >= 4) {
      const head = this.peek(4);
      const size = head.readUInt32BE(0);
      if (size > limit) throw new Error(`a message of ${size} bytes is longer than ${limit}`);
      if (this.length < 4 + size) break;
      const frame = this.take(4 + size);
      messages.push(JSON.parse(frame.toString('utf8', 4)) as unknown);
    }
    return messages;
  }

  private peek(count: number): Buffer {
    const first = this.chunks[0] as Buffer;
    if (first.length >= count) return first;
    this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0] as Buffer;
  }

  private take(count: number): Buffer {
    const all = this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks);
    const rest = all.subarray(count);
    this.chunks = rest.length > 0 ? [rest] : [];
    this.length = rest.length;
    return all.subarray(0, count);
  }
}
