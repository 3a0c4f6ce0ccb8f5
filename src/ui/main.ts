const heading = document.createElement('h1');
heading.textContent = 'EdgeShard';
document.querySelector('#app')?.append(heading);
