// Nothing is redrawn under a pressed pointer: a control that is replaced between press and release gets no click.

const AT_MOST_MS = 5000; // a long press, or text being selected, does not stop what comes in for longer

const waiting = new Map(); // who asked → its drawing
let overdue = null; // runs while the pointer is down

/** Draw now, or once after the release. The last drawing that `owner` asked for counts. */
export function whenReleased(owner, draw) {
  if (overdue === null) draw();
  else waiting.set(owner, draw);
}

/** Watch the pointer from now on. */
export function watchPointer() {
  document.addEventListener("pointerdown", press, true);
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, release, true);
}

function press() {
  clearTimeout(overdue);
  overdue = setTimeout(release, AT_MOST_MS);
}

// What the click itself draws is drawn at once, what waited comes after the click.
function release() {
  clearTimeout(overdue);
  overdue = null;
  setTimeout(catchUp, 0);
}

function catchUp() {
  if (overdue !== null) return; // pressed again
  const drawings = [...waiting.values()];
  waiting.clear();
  drawings.forEach((draw) => draw());
}
