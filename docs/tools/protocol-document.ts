/** Writes `docs/protocol.md` from the schemas and from the comments above them. */
import { join } from 'node:path';
import { format } from 'prettier';
import { type FieldRow, messagesOf, type MessageText } from './describe-schema.ts';
import { commentsOf, headOf } from './comments.ts';
import { projectDir, protocolPath } from './project.ts';
import { indexSources, type SourceIndex } from './source-index.ts';

/** The whole document, formatted as it is kept. */
export async function protocolDocument(): Promise<string> {
  const room = indexSources(join(projectDir, 'src/room/protocol'));
  const transport = indexSources(join(projectDir, 'src/transport'));
  const sections = [
    await introduction(room, transport),
    '## Handshake',
    'These messages travel on the control channel before anything else. A device reads nothing else until both sides have proven that they hold the room key.',
    ...(await messageSections(transport, 'HandshakeMessageSchema')),
    '## Messages of the link',
    'These messages travel on the control channel after the handshake. The transport sends and reads them itself, except for `room`, which carries a control message of the room.',
    ...(await messageSections(transport, 'LinkMessageSchema')),
    '## Control messages from the host to a device',
    ...(await messageSections(room, 'HostMessageSchema')),
    '## Control messages from a device to the host',
    ...(await messageSections(room, 'DeviceMessageSchema')),
    '## Large messages',
    await largeMessages(transport),
    ...(await messageSections(room, 'BulkHeaderSchema')),
    '## Frames',
    await frames(room, transport),
  ];
  return format(sections.join('\n\n'), { parser: 'markdown', filepath: protocolPath });
}

async function introduction(room: SourceIndex, transport: SourceIndex): Promise<string> {
  const ofTransport = await numberOf(transport, 'protocolVersion');
  const ofRoom = await numberOf(room, 'roomProtocolVersion');
  const control = await numberOf(transport, 'maxControlLength');
  const bulk = await numberOf(transport, 'maxBulkBytes');
  return `# Protocol

<!-- Written by \`npm run docs:protocol\` from the schemas and their comments. Change those, not this file. -->

This page lists everything that two devices of a room send to each other. It is generated from the schemas that check each message where it arrives, and a
unit test fails when it is out of date. [The glossary](glossary.md) defines the words.

Frames have version ${ofTransport} of the transport's format, and messages version ${ofRoom} of the room's. Both sides name the room's version in their
\`hello\`, and a link refuses a different one.

A connection has three channels:

| channel | carries | order | limit |
| --- | --- | --- | --- |
| control | JSON text: the handshake, the link's own messages, control messages | kept | ${kib(control)} of text a message |
| tokens | frames, in slices | restored for each sequence, by number | ${mib(await frameLimit(transport))} a frame |
| bulk | large messages, in pieces | kept | ${mib(bulk)} a message |

A message that breaks its schema ends the link on which it came, with a reason. In the tables, \`a[].b\` is field \`b\` of each entry of the list
\`a\`, and \`a:k.b\` is field \`b\` of the object \`a\` where its kind is \`k\`. Every message also has its \`kind\`. Layers are numbered
as in [the glossary](glossary.md#numbering). A device's id is \`host\`, or one to three letters in order of joining. Hashes and fingerprints are SHA-256,
64 hexadecimal digits. Times are in milliseconds.`;
}

async function largeMessages(transport: SourceIndex): Promise<string> {
  const limit = mib(await numberOf(transport, 'maxBulkBytes'));
  return `A large message is the length of its header (4 bytes, little-endian), the header as JSON, and the body. It has at most ${limit}. The messages
below are the headers. The body of \`piece\` is the bytes that were wanted; the bodies of \`boundary-states\`, \`recompute\` and \`recomputed\` are hidden
states; the body of \`manifest\` is its JSON. Any two devices exchange
pieces of the model; the other large messages travel between the host and a device.

### Pieces

${headOf(transport.find('encodePiece'))}`;
}

async function frames(room: SourceIndex, transport: SourceIndex): Promise<string> {
  const slice = await numberOf(transport, 'maxSliceBytes');
  const fork = await numberOf(room, 'forkCode');
  const group = await numberOf(room, 'groupCode');
  return `A frame carries hidden states from one stage to the next, straight from device to device. Its slices have at most ${slice.toLocaleString('en')} bytes each.

### The transport's part

${headOf(transport.find('encodeFrame'))}

### What the room writes into the header

| field | meaning |
| --- | --- |
| plan version | The plan whose lap the frame is on. A frame of a plan that is no longer in use is dropped. |
| sequence | The caches that the frame belongs to: those of an answer, or the number of a cache rebuild. |
| step | The position of the first token in the sequence. |
| stage | The stage that the frame is for. Only the device of the stage before it may send it. |
| flags | How many of the last positions are to be answered with logits; 0 for a piece of a prompt that goes on, and in a cache rebuild. |
| dtype 0 | Hidden states as f32, position after position. |
| dtype 1 | Hidden states as f16, position after position. |
| dtype ${group} | A group: steps of several answers that shared a run. |
| dtype ${fork} | A fork: the payload is the number of another sequence (4 bytes), whose cache this one begins with, up to \`step\`. |

Numbers that are not finite are refused, and so are positions past the context. The stage after a lap's last one, with no payload, tells the host that the
last blocks have read a piece of a prompt for which no logits were asked.

### A group

${headOf(room.find('packGroup'))}`;
}

async function messageSections(index: SourceIndex, schema: string): Promise<string[]> {
  const messages = messagesOf(await index.load(schema), commentsOf(index, schema));
  return messages.flatMap(messageSection);
}

function messageSection({ kind, comment, fields }: MessageText): string[] {
  const none = fields.length === 0 ? 'It has no fields.' : '';
  return [`### \`${kind}\``, `${comment} ${none}`.trim(), fieldTable(fields)].filter(
    (part) => part !== '',
  );
}

function fieldTable(fields: FieldRow[]): string {
  if (fields.length === 0) return '';
  const hasComments = fields.some(({ comment }) => comment !== '');
  const rows = fields.map(({ path, type, comment }) => [
    `\`${path}\``,
    type,
    ...(hasComments ? [comment] : []),
  ]);
  const head = ['field', 'type and limits', ...(hasComments ? ['meaning'] : [])];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

async function numberOf(index: SourceIndex, name: string): Promise<number> {
  const value = await index.load(name);
  if (typeof value !== 'number') throw new Error(`${name} is expected to be a number.`);
  return value;
}

async function frameLimit(transport: SourceIndex): Promise<number> {
  const options = (await transport.load('defaultReassemblerOptions')) as { maxFrameBytes: number };
  return options.maxFrameBytes;
}

function kib(bytes: number): string {
  return `${bytes / 1024} KiB`;
}

function mib(bytes: number): string {
  return `${bytes / 1024 ** 2} MiB`;
}
