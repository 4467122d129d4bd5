// Run before anything is drawn: what only script can use is there from the first picture on, and nothing moves when the
// rest has loaded.
document.documentElement.classList.add('js');
