/** Light or dark: the system's choice until a person makes their own, which this browser then keeps. */
const storageKey = 'edgeshard.theme';

export type Theme = 'light' | 'dark';

export interface ThemeChoice {
  readonly current: Theme;
  toggle(): void;
}

/** Applies the theme to the document at once and keeps it applied. */
export function followTheme(): ThemeChoice {
  const systemDark = matchMedia('(prefers-color-scheme: dark)');
  let chosen = $state<Theme | null>(storedTheme());
  let system = $state<Theme>(systemDark.matches ? 'dark' : 'light');
  const current = $derived(chosen ?? system);

  const apply = (): void => {
    document.documentElement.dataset['theme'] = current;
  };
  systemDark.addEventListener('change', ({ matches }) => {
    system = matches ? 'dark' : 'light';
    apply();
  });
  apply();

  return {
    get current() {
      return current;
    },
    toggle() {
      chosen = current === 'dark' ? 'light' : 'dark';
      storeTheme(chosen);
      apply();
    },
  };
}

function storedTheme(): Theme | null {
  try {
    const stored = localStorage.getItem(storageKey);
    return stored === 'light' || stored === 'dark' ? stored : null;
  } catch {
    // A browser told to store nothing says so by throwing; the system's theme serves as well.
    return null;
  }
}

function storeTheme(theme: Theme): void {
  try {
    localStorage.setItem(storageKey, theme);
  } catch {
    // The choice then lasts as long as the page.
  }
}
