import { describe, expect, it } from 'vitest';
import { createPostbox, type Post } from './introduction.ts';

const topic = 'abcdefghijklmnop2345';

describe('a message by way of the server', () => {
  it('reaches who waits for it, from that device and on that topic alone', () => {
    const sent: [string, Post][] = [];
    const postbox = createPostbox((...post) => sent.push(post));
    const introduction = postbox.introductionTo('laptop', {});
    introduction.post(topic, { kind: 'broken' });
    expect(sent).toEqual([['laptop', { edgeshard: topic, message: { kind: 'broken' } }]]);

    const heard: unknown[] = [];
    const stop = introduction.onPost(topic, (message) => heard.push(message));
    const [, post] = sent[0];
    postbox.receive('stranger', post);
    postbox.receive('laptop', { ...post, edgeshard: 'another2345topic2345' });
    postbox.receive('laptop', post);
    expect(heard).toEqual([{ kind: 'broken' }]);
    stop();
    postbox.receive('laptop', post);
    expect(heard).toHaveLength(1);
  });

  it.each([[null], ['text'], [{ edgeshard: 7, message: '' }], [{ candidate: {} }]])(
    'that is none (%j) is let fall',
    (post) => {
      const postbox = createPostbox(() => undefined);
      const heard: unknown[] = [];
      postbox.introductionTo('laptop', {}).onPost(topic, (message) => heard.push(message));
      postbox.receive('laptop', post);
      expect(heard).toEqual([]);
    },
  );
});
