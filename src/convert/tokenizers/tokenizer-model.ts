/**
 * Reads a SentencePiece model (`tokenizer.model`), a protobuf message.
 *
 * Source: SentencePiece's `src/sentencepiece_model.proto`, which gives the fields' numbers and defaults.
 */
import { errorMessage } from '../../base/error-message.ts';
import { protobufFieldsIn, WireType, type ProtobufField } from '../sources/protobuf-fields.ts';
import type { SentencePiece } from './sentencepiece.ts';

export interface SentencePieceModel {
  /** In the order of their ids. */
  pieces: SentencePiece[];
  kind: 'BPE' | 'Unigram';
  byteFallback: boolean;
  /** Null where there is none. */
  bosId: number | null;
  /** Whether texts get a space at their beginning. */
  hasPrefixSpace: boolean;
  /** Spaces at both ends are dropped, and several become one. */
  dropsExtraSpaces: boolean;
}

/** Several times the largest published vocabulary. */
const mostPieces = 1 << 20;

/**
 * @param file its whole contents
 * @throws Error with one sentence that names what is broken or cannot be computed
 */
export function readTokenizerModel(file: Uint8Array): SentencePieceModel {
  if (isTiktoken(file))
    throw new Error(
      'tokenizer.model is a list of tokens in the form of tiktoken, which cannot be read here: ' +
        'take a copy of the model that has a tokenizer.json',
    );
  const { pieces, trainer, normalizer } = messageOf(file);
  if (pieces.length === 0)
    throw new Error('tokenizer.model has no pieces: it is no SentencePiece model, or cut short');
  refuseUnknown(trainer, normalizer);
  if (trainer.modelType === modelTypes.unigram && pieces.some(({ kind }) => kind === 'unused'))
    refuse('has pieces that are not used (UNUSED)');
  const { bosId } = trainer;
  return {
    pieces,
    kind: trainer.modelType === modelTypes.bpe ? 'BPE' : 'Unigram',
    byteFallback: trainer.byteFallback,
    bosId: bosId >= 0 && bosId < pieces.length ? bosId : null,
    hasPrefixSpace: normalizer.hasPrefixSpace,
    dropsExtraSpaces: normalizer.dropsExtraSpaces,
  };
}

/** `TrainerSpec.ModelType` */
const modelTypes = { unigram: 1, bpe: 2, word: 3, character: 4 };

interface TrainerSpec {
  modelType: number;
  isSpaceSuffix: boolean;
  byteFallback: boolean;
  bosId: number;
}

interface NormalizerSpec {
  name: string;
  charsmapBytes: number;
  hasPrefixSpace: boolean;
  dropsExtraSpaces: boolean;
  escapesSpaces: boolean;
}

interface Message {
  pieces: SentencePiece[];
  trainer: TrainerSpec;
  normalizer: NormalizerSpec;
}

function messageOf(file: Uint8Array): Message {
  const message: Message = {
    pieces: [],
    trainer: { modelType: modelTypes.unigram, isSpaceSuffix: false, byteFallback: false, bosId: 1 },
    normalizer: {
      name: '',
      charsmapBytes: 0,
      hasPrefixSpace: true,
      dropsExtraSpaces: true,
      escapesSpaces: true,
    },
  };
  try {
    for (const field of protobufFieldsIn(file)) {
      if (field.wireType !== WireType.LengthDelimited) continue;
      const part = file.subarray(field.start, field.end);
      if (field.number === 1) addPiece(message.pieces, part);
      else if (field.number === 2) readTrainer(message.trainer, part);
      else if (field.number === 3) readNormalizer(message.normalizer, part);
    }
  } catch (error) {
    throw new Error(
      `tokenizer.model is no SentencePiece model, or it is damaged: ${errorMessage(error)}`,
      { cause: error },
    );
  }
  return message;
}

function addPiece(pieces: SentencePiece[], part: Uint8Array): void {
  if (pieces.length === mostPieces)
    throw new Error(`there are more pieces than the ${mostPieces} that are expected at most`);
  const piece: SentencePiece = { text: '', score: 0, kind: 'normal' };
  for (const field of protobufFieldsIn(part)) {
    if (field.number === 1) piece.text = textOf(part, field, `piece ${pieces.length}`);
    else if (field.number === 2) piece.score = floatOf(part, field, `piece ${pieces.length}`);
    else if (field.number === 3) piece.kind = kindOf(field, pieces.length);
  }
  if (piece.kind !== 'added') pieces.push(piece);
  // Spaces of a text are ▁ when words are looked for, so a word with a space is never found.
  else if (piece.text.includes(' ')) pieces.push({ ...piece, kind: 'normal' });
  else pieces.push({ ...piece, flags: { normalized: true } });
}

/** `SentencePiece.Type` */
const kinds: Partial<Record<number, SentencePiece['kind']>> = {
  1: 'normal',
  2: 'unknown',
  3: 'control',
  4: 'added',
  5: 'unused',
  6: 'byte',
};

function kindOf(field: ProtobufField, id: number): SentencePiece['kind'] {
  const kind = kinds[varintOf(field, `the type of piece ${id}`)];
  if (kind === undefined) throw new Error(`piece ${id} is of the unknown type ${field.value}`);
  return kind;
}

function readTrainer(trainer: TrainerSpec, part: Uint8Array): void {
  for (const field of protobufFieldsIn(part)) {
    if (field.number === 3) trainer.modelType = varintOf(field, 'the model type');
    else if (field.number === 24) trainer.isSpaceSuffix = varintOf(field, 'a switch') !== 0;
    else if (field.number === 35) trainer.byteFallback = varintOf(field, 'a switch') !== 0;
    else if (field.number === 41) trainer.bosId = varintOf(field, 'the id of BOS');
  }
}

function readNormalizer(normalizer: NormalizerSpec, part: Uint8Array): void {
  for (const field of protobufFieldsIn(part)) {
    if (field.number === 1) normalizer.name = textOf(part, field, 'the name of its rules');
    else if (field.number === 2) normalizer.charsmapBytes = field.end - field.start;
    else if (field.number === 3) normalizer.hasPrefixSpace = varintOf(field, 'a switch') !== 0;
    else if (field.number === 4) normalizer.dropsExtraSpaces = varintOf(field, 'a switch') !== 0;
    else if (field.number === 5) normalizer.escapesSpaces = varintOf(field, 'a switch') !== 0;
  }
}

function refuseUnknown(trainer: TrainerSpec, normalizer: NormalizerSpec): void {
  const { modelType } = trainer;
  if (modelType === modelTypes.word) refuse('is of the kind WORD');
  if (modelType === modelTypes.character) refuse('is of the kind CHAR');
  if (modelType !== modelTypes.bpe && modelType !== modelTypes.unigram)
    refuse(`is of the unknown kind ${modelType}`);
  if (trainer.isSpaceSuffix) refuse('puts spaces behind words (treat_whitespace_as_suffix)');
  if (!normalizer.escapesSpaces) refuse('leaves spaces as they are (escape_whitespaces is false)');
  if (normalizer.charsmapBytes > 0)
    refuse(`changes letters by the normalization rules "${normalizer.name}"`);
}

function refuse(what: string): never {
  throw new Error(
    `tokenizer.model ${what}, which cannot be computed here: take a copy of the model that has ` +
      'a tokenizer.json',
  );
}

function expectType(field: ProtobufField, wireType: WireType, what: string): void {
  if (field.wireType !== wireType)
    throw new Error(`${what} has the wire type ${field.wireType}, where ${wireType} is expected`);
}

function varintOf(field: ProtobufField, what: string): number {
  expectType(field, WireType.Varint, what);
  return field.value;
}

function floatOf(part: Uint8Array, field: ProtobufField, what: string): number {
  expectType(field, WireType.Bit32, `the score of ${what}`);
  const score = new DataView(part.buffer, part.byteOffset).getFloat32(field.start, true);
  if (!Number.isFinite(score)) throw new Error(`the score of ${what} is no number`);
  return score;
}

function textOf(part: Uint8Array, field: ProtobufField, what: string): string {
  expectType(field, WireType.LengthDelimited, what);
  try {
    const bytes = part.subarray(field.start, field.end);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new Error(`${what} is not UTF-8`, { cause: error });
  }
}

/** Llama 3 has a file of this name with a line for each token: base64, and the id. */
function isTiktoken(file: Uint8Array): boolean {
  const start = new TextDecoder().decode(file.subarray(0, 64));
  return /^[A-Za-z0-9+/]+={0,2} \d+\r?\n/.test(start);
}
