"use strict"
// What is typed into a form with data-keep stays in this tab until it is saved, except secrets.

const form = () => document.querySelector("form[data-keep]")
const place = () => `typed:${location.pathname.replace(/\/statuses$/, "/settings")}`
const isKept = field => field.name && !["hidden", "password", "submit"].includes(field.type)
const toggles = field => ["checkbox", "radio"].includes(field.type)
const named = name => [...form().elements].filter(field => isKept(field) && field.name === name)
const values = name => named(name).filter(field => !toggles(field) || field.checked).map(field => field.value)

function typed() {
  try {
    return JSON.parse(sessionStorage.getItem(place())) || {}
  } catch {
    return {}
  }
}

function restore() {
  if (!form()) return
  const kept = Object.entries(typed()).filter(([name]) => named(name).length)
  for (const [name, chosen] of kept)
    for (const field of named(name)) {
      if (toggles(field)) field.checked = chosen.includes(field.value)
      else if (field.type !== "select-one" || [...field.options].some(one => one.value === chosen[0])) field.value = chosen[0]
    }
  for (const control of form().querySelectorAll("[data-stored]")) mark(control)
}

// Shows the stored value beside a field that was changed.
function mark(control) {
  const words = field => field.type === "select-one" ? field.selectedOptions[0]?.text : field.value
  const fields = [...control.querySelectorAll("input, select")].filter(isKept)
  const lone = fields.length === 1 && !control.querySelector("fieldset")
  let now = fields.filter(field => !toggles(field) || field.checked).map(field => toggles(field) ? field.parentNode.textContent.trim() : words(field)).join(", ")
  if (lone && toggles(fields[0])) now = fields[0].checked ? "on" : "off"
  const stored = control.dataset.stored, was = control.querySelector(".was")
  const same = now === stored || (["empty", "all"].includes(stored) && ["", "none"].includes(now))
  if (was) was.hidden = same
}

document.addEventListener("input", event => {
  const field = event.target
  if (!form() || field.form !== form() || !isKept(field)) return
  const all = typed()
  all[field.name] = values(field.name)
  sessionStorage.setItem(place(), JSON.stringify(all))
  const control = field.closest("[data-stored]")
  if (control) mark(control)
})

document.addEventListener("click", event => {
  if (!("discard" in event.target.dataset)) return
  sessionStorage.removeItem(place())
  location.reload()
})

document.addEventListener("DOMContentLoaded", () => {
  const kept = document.getElementById("kept")
  if (kept && Object.keys(typed()).some(name => name !== "step")) kept.hidden = false
  restore()
})

document.addEventListener("htmx:afterSettle", restore)

document.addEventListener("htmx:beforeOnLoad", event => {
  const answer = event.detail.xhr
  if (answer.getResponseHeader("HX-Redirect")) sessionStorage.removeItem(place())
  const said = document.getElementById("said")
  if (answer.status < 500 || !said) return
  const page = new DOMParser().parseFromString(answer.responseText, "text/html")
  said.textContent = page.querySelector("main")?.textContent.trim() || `The console answered ${answer.status}.`
})
