/**
 * What is done with each kind of message, as one table. The type asks for a handler of every kind, so that a new
 * message is its schema and its handler, and a kind that nobody handles does not compile.
 */

/** A message of one kind. */
export type MessageOf<
  Message extends { kind: string },
  Kind extends Message['kind'] = Message['kind'],
> = Extract<Message, { kind: Kind }>;

/** `Context` comes before the message: who sent it, where that is not always the same. */
export type Handlers<Message extends { kind: string }, Context extends unknown[] = []> = {
  [Kind in Message['kind']]: (...args: [...Context, message: MessageOf<Message, Kind>]) => void;
};

/** Calls the handler of that message. Throws what it throws. */
export function dispatch<Message extends { kind: string }, Context extends unknown[] = []>(
  handlers: Handlers<Message, Context>,
  message: Message,
  ...context: Context
): void {
  // The table is keyed by the kinds, but TypeScript does not follow one from the key to the argument.
  const handler = handlers[message.kind as Message['kind']] as (
    ...args: [...Context, message: Message]
  ) => void;
  handler(...context, message);
}
