/** A base model continues a text, so it is offered as a story-teller and never as someone who answers. */
export interface ConversationWords {
  heading: string;
  invitation: string;
  explanation: string;
  label: string;
  placeholder: string;
  button: string;
  examples: string[];
}

export function wordsFor(chat: boolean): ConversationWords {
  return chat ? chatWords : storyWords;
}

const chatWords: ConversationWords = {
  heading: 'Conversation',
  invitation: 'Ask the room',
  explanation: 'Every device here computes a part of each word of the answer.',
  label: 'Your question',
  placeholder: 'Ask something…',
  button: 'Ask',
  examples: ['What is the capital of France?', 'Explain rain to a child.'],
};

const storyWords: ConversationWords = {
  heading: 'Story',
  invitation: 'Begin a story…',
  explanation:
    'This model continues the text it is given. It does not answer questions. Every device here computes a part of each word.',
  label: 'The beginning of a story',
  placeholder: 'Once upon a time…',
  button: 'Go on',
  examples: ['Once upon a time', 'The little dragon was afraid of', 'Lily found a map and'],
};
