import { expect, it } from 'vitest';
import { createEvent } from '../../transport/event.ts';
import { createOwnView } from './own-view.ts';

it('says that the connection is being made anew as long as it is, and then what the device does by then', () => {
  const interrupted = createEvent<[reason: string]>();
  const resumed = createEvent<[tookMs: number]>();
  const shown: string[] = [];
  const own = createOwnView(
    { id: 'a', label: 'Safari on iPhone' },
    { onInterrupted: interrupted.on, onResumed: resumed.on },
    ({ status }) => shown.push(status.kind),
  );
  own.show({ status: { kind: 'computing' } });
  interrupted.emit('the network path broke');
  own.show({ status: { kind: 'ready' } });
  expect(own.now.status.kind).toBe('ready');
  resumed.emit(1200);
  expect(shown).toEqual(['computing', 'reconnecting', 'reconnecting', 'ready']);
});
