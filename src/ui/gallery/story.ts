/** A story cut into pieces as a tokenizer would, for the live scene. */
export const tokens =
  ' the dark. Every night he lit a small lamp and put it by the door of his cave. One night the wind blew it out. "Oh no!" said the little dragon. Then he saw a star. It was very far away, but it was bright. He looked at it for a long time, and he was not afraid any more.'.split(
    /(?= )/,
  );
