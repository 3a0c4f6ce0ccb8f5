/** Sessions for attention alone. They hold no weights, so all blocks with the same kind of attention share them. */
import {
  composeAttention,
  projectionNames,
  type AttentionFigures,
  type AttentionKind,
} from './attention.ts';
import { bindCaches, keepCaches, type BoundCache } from './bound-cache.ts';
import { createSession, type RunTensor, type Runtime, type Session } from './runtime.ts';

export interface AttentionSessions {
  /**
   * Attends from each cache's new positions. With several caches, projections have one position for each.
   *
   * @param projections [sequences, tokens, width] each; their number depends on `kind`
   * @returns [sequences, tokens, heads * head_dim]
   */
  run(kind: AttentionKind, caches: BoundCache[], projections: RunTensor[]): Promise<RunTensor>;
  dispose(): Promise<void>;
}

interface Loaded {
  session: Session;
  result: string;
}

export function createAttentionSessions(
  runtime: Runtime,
  figures: AttentionFigures,
): AttentionSessions {
  const sessions = new Map<string, Promise<Loaded>>();

  async function load(kind: AttentionKind, count: number): Promise<Loaded> {
    const graph = composeAttention(figures, kind, count);
    return { session: await createSession(runtime, graph, []), result: graph.result };
  }

  function sessionFor(kind: AttentionKind, count: number): Promise<Loaded> {
    const key = `${kind.packed} ${kind.window} ${kind.rotary} ${count}`;
    const known = sessions.get(key);
    if (known) return known;
    const loading = load(kind, count);
    sessions.set(key, loading);
    // A failed load may be tried again.
    loading.catch(() => sessions.delete(key));
    return loading;
  }

  return {
    async run(kind, caches, projections) {
      const { session, result } = await sessionFor(kind, caches.length);
      const names = kind.packed ? projectionNames.packed : projectionNames.apart;
      const { feeds, fetches } = await bindCaches(runtime.ort, caches);
      names.forEach((name, index) => (feeds[name] = projections[index]));
      const outputs = await session.run(feeds, { [result]: null, ...fetches });
      keepCaches(caches, outputs);
      return outputs[result];
    },
    async dispose() {
      for (const loaded of sessions.values()) await (await loaded).session.release();
      sessions.clear();
    },
  };
}
