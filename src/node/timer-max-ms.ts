/** The longest time in milliseconds that a timer of Node can hold; a longer one would fire at once. */
export const timerMaxMs = 2 ** 31 - 1;
