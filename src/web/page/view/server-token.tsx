export interface ServerTokenProps {
  readonly onToken: (token: string) => void;
}

/** Asks for the bearer token of a server that wants one. It is kept nowhere. */
export function ServerToken({ onToken }: ServerTokenProps) {
  function submit(event: Event): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    onToken(String(new FormData(form).get("token") ?? "").trim());
  }
  return (
    <form class="token" onSubmit={submit}>
      <label for="token">Access token</label>
      <div class="token-row">
        <input id="token" name="token" type="password" autocomplete="off" spellcheck={false} required />
        <button type="submit">Use it</button>
      </div>
      <p class="hint">It is sent to the server only, and forgotten when this page is closed.</p>
    </form>
  );
}
