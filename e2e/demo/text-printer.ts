export interface TextPrinter {
  /** Prints what is new in the whole text so far. */
  update: (text: string) => void;
  end(): void;
}

/** Streams a growing text to a terminal; `null` prints nothing. */
export function textPrinter(output: { write(text: string): unknown } | null): TextPrinter {
  let printed = 0;
  return {
    update(text) {
      output?.write(text.slice(printed));
      printed = text.length;
    },
    end: () => output?.write('\n'),
  };
}
