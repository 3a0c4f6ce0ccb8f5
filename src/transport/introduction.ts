/**
 * What signalling knows of a connection that it made: with which settings, and how the two devices can exchange
 * a few words by way of the server while there is no connection. By this a link finds its way back.
 */
import * as v from 'valibot';

export interface Introduction {
  /** With which the connection was made, for further ones to the same device. */
  configuration: RTCConfiguration;
  /** Sends a message by way of the server. It may get lost; the topic names what it belongs to. */
  post(topic: string, message: unknown): void;
  /** Calls back for that device's messages on a topic; returns what stops it. What comes is not yet validated. */
  onPost(topic: string, callback: (message: unknown) => void): () => void;
}

const introductions = new WeakMap<RTCPeerConnection, Introduction>();

/** Null for a connection that no signalling of this module made. */
export function introductionOf(connection: RTCPeerConnection): Introduction | null {
  return introductions.get(connection) ?? null;
}

export function rememberIntroduction(
  connection: RTCPeerConnection,
  introduction: Introduction,
): void {
  introductions.set(connection, introduction);
}

/** What one device sends another by way of the server, besides introductions. */
const PostSchema = v.strictObject({
  edgeshard: v.pipe(v.string(), v.regex(/^[a-z0-9]{16,64}$/)),
  message: v.unknown(),
});

export type Post = v.InferOutput<typeof PostSchema>;

export interface Postbox {
  introductionTo(peerId: string, configuration: RTCConfiguration): Introduction;
  /** Hands a message to whoever waits for it; anything else is let fall. `fromId` is what the server says. */
  receive(fromId: string, post: unknown): void;
}

export function createPostbox(send: (peerId: string, post: Post) => void): Postbox {
  const waiting = new Map<string, (message: unknown) => void>();
  return {
    introductionTo: (peerId, configuration) => ({
      configuration,
      post: (topic, message) => send(peerId, { edgeshard: topic, message }),
      onPost(topic, callback) {
        const name = `${peerId} ${topic}`;
        waiting.set(name, callback);
        return () => {
          if (waiting.get(name) === callback) waiting.delete(name);
        };
      },
    }),
    receive(fromId, post) {
      const result = v.safeParse(PostSchema, post);
      if (result.success)
        waiting.get(`${fromId} ${result.output.edgeshard}`)?.(result.output.message);
    },
  };
}
