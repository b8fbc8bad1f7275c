import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MessageReader, encodeMessage } from '../../../src/inference/framing';

describe('message framing', () => {
  it('gives back any messages, however the stream was cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (messages, cuts) => {
          // JSON.stringify turns -0 into 0: compare what travelled.
          const expected = messages.map((message) => JSON.parse(JSON.stringify(message)) as unknown);
          const stream = Buffer.concat(messages.map(encodeMessage));
          const places = cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b);
          const reader = new MessageReader();
          const received: unknown[] = [];
          let from = 0;
          for (const to of [...places, stream.length]) {
            received.push(...reader.push(stream.subarray(from, to)));
            from = to;
          }
          assert.deepEqual(received, expected);
        },
      ),
      { seed: 5 },
    );
  });

  it('refuses a length beyond the limit before the body arrives', () => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(5000);
    assert.throws(() => new MessageReader().push(head, 4096), /longer than 4096/);
  });

  it('refuses a body that is not JSON', () => {
    assert.throws(() => new MessageReader().push(Buffer.from([0, 0, 0, 1, 0x7b])), SyntaxError);
  });
});
