/** Remembers a host's running answers by their id, so that the page can stop what a script asked. */
import type { Answer, HostRoom } from '../room/room.ts';

export interface RunningAnswers {
  /** Stops an answer; does nothing once it has ended. */
  stop(answerId: number): void;
  /** The same room, with what is asked of it remembered. */
  remember(room: HostRoom): HostRoom;
}

export function createRunningAnswers(): RunningAnswers {
  let running = new Map<number, Answer>();

  return {
    stop(answerId) {
      running.get(answerId)?.stop();
    },
    remember(room) {
      const ofThisRoom = new Map<number, Answer>();
      running = ofThisRoom;
      return {
        get view() {
          return room.view;
        },
        subscribe: (listener) => room.subscribe(listener),
        setMemoryBudget: (bytes) => room.setMemoryBudget(bytes),
        close: () => room.close(),
        settled: () => room.settled(),
        ask(request) {
          const answer = room.ask(request);
          ofThisRoom.set(answer.id, answer);
          const forget = (): void => {
            ofThisRoom.delete(answer.id);
          };
          answer.done.then(forget, forget);
          return answer;
        },
      };
    },
  };
}
