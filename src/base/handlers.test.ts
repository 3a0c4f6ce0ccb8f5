import { expect, it } from 'vitest';
import { dispatch, type Handlers } from './handlers.ts';

type Message = { kind: 'greeting'; name: string } | { kind: 'farewell' };

it('gives each message to the handler of its kind, after its context', () => {
  const heard: string[] = [];
  const handlers: Handlers<Message, [from: string]> = {
    greeting: (from, { name }) => heard.push(`${from} greets ${name}`),
    farewell: (from) => heard.push(`${from} goes`),
  };
  dispatch(handlers, { kind: 'greeting', name: 'host' }, 'a');
  dispatch(handlers, { kind: 'farewell' }, 'b');
  expect(heard).toEqual(['a greets host', 'b goes']);
});

it('lets through what a handler throws', () => {
  const refuse = (): never => {
    throw new Error('a device said hello twice');
  };
  const handlers: Handlers<Message> = { greeting: refuse, farewell: refuse };
  expect(() => dispatch(handlers, { kind: 'farewell' })).toThrow('said hello twice');
});
