/** The gallery as a page of its own: every state of every screen, without a room behind it. */
import { mount } from 'svelte';
import Gallery from '../../src/ui/gallery/Gallery.svelte';
import '../../src/ui/styles/base.css';
import '../../src/ui/styles/tokens.css';

mount(Gallery, { target: document.querySelector('#app') ?? document.body });
