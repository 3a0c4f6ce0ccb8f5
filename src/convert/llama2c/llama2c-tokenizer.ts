/**
 * Reads llama2.c's tokenizer file: the length of the longest piece, then the score, length and bytes of every
 * piece. Ids 0, 1 and 2 are unknown, beginning and end. Ids 3 to 258 are the 256 bytes; early versions of
 * `tokenizer.py` wrote them as characters, later ones as `<0xNN>`.
 */
import { sentencePieceTokenizer, type SentencePiece } from '../tokenizers/sentencepiece.ts';

const byteIds = { first: 3, last: 258 };

/**
 * @returns a Hugging Face `tokenizer.json`
 * @throws Error if the file is cut short or does not hold `vocabSize` pieces
 */
export function convertLlama2cTokenizer(
  file: Uint8Array,
  vocabSize: number,
): Record<string, unknown> {
  const pieces = readPieces(file, vocabSize).map(({ bytes, score }, id) =>
    pieceOf(bytes, score, id),
  );
  return sentencePieceTokenizer(pieces, { bosId: 1, prefixSpace: 'each section' });
}

interface RawPiece {
  bytes: Uint8Array;
  score: number;
}

function readPieces(file: Uint8Array, vocabSize: number): RawPiece[] {
  if (file.byteLength < 4) throw new Error('the llama2.c tokenizer file is empty');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const longest = view.getInt32(0, true);
  const pieces: RawPiece[] = [];
  let at = 4;
  while (pieces.length < vocabSize) {
    const id = pieces.length;
    if (at + 8 > file.byteLength)
      throw new Error(
        `the llama2.c tokenizer file ends after ${id} pieces, and the model has ${vocabSize}`,
      );
    const score = view.getFloat32(at, true);
    const length = view.getInt32(at + 4, true);
    if (length < 0 || length > longest || at + 8 + length > file.byteLength)
      throw new Error(
        `piece ${id} of the llama2.c tokenizer file claims ${length} bytes, where at most ` +
          `${Math.min(longest, file.byteLength - at - 8)} can follow`,
      );
    pieces.push({ bytes: file.subarray(at + 8, at + 8 + length), score });
    at += 8 + length;
  }
  if (at !== file.byteLength)
    throw new Error(
      `the llama2.c tokenizer file goes on for ${file.byteLength - at} bytes after the model's ` +
        `${vocabSize} pieces: it belongs to another model`,
    );
  return pieces;
}

function pieceOf(bytes: Uint8Array, score: number, id: number): SentencePiece {
  if (id === 0) return { text: '<unk>', score, kind: 'unknown' };
  if (id === 1) return { text: '<s>', score, kind: 'control' };
  if (id === 2) return { text: '</s>', score, kind: 'control' };
  if (id <= byteIds.last) {
    const byte = (id - byteIds.first).toString(16).toUpperCase().padStart(2, '0');
    return { text: `<0x${byte}>`, score, kind: 'byte' };
  }
  return { text: textOf(bytes, id).replaceAll(' ', '▁'), score, kind: 'normal' };
}

function textOf(bytes: Uint8Array, id: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new Error(
      `piece ${id} of the llama2.c tokenizer file is not UTF-8: the file is damaged`,
      {
        cause: error,
      },
    );
  }
}
