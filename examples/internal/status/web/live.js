// Replaces the middle of the page by that of a fresh one, every two seconds while somebody
// looks. What names say is text in there, as the server has escaped it, and the content
// security policy lets nothing in it run.
"use strict";

async function renew() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = fresh.title;
    document.querySelector("main").replaceWith(document.adoptNode(fresh.querySelector("main")));
    document.querySelector("header").replaceWith(document.adoptNode(fresh.querySelector("header")));
  } catch {
    const state = document.querySelector(".state");
    state.className = "state bad";
    state.textContent = "The program does not answer. What follows is old.";
  }
}

setInterval(renew, 2000);
