// Images beside the prompt: chosen, pasted or dropped; each with a thumbnail, and a button that takes it away.
import { Refused } from "./key.js";
import { element } from "./text.js";

const TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif"];
const LARGEST_BYTES = 7 * 1024 * 1024;
const THUMB = 64;

const dataUrl = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Refused(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });

export class Images {
  #files = [];
  #place;
  #tell;
  #onChange;

  constructor(input, place, { tell, onChange }) {
    this.#place = place;
    this.#tell = tell;
    this.#onChange = onChange;
    input.addEventListener("change", () => {
      this.#take([...input.files]);
      input.value = "";
    });
    const offer = (event, files) => {
      if (!files?.length) return;
      event.preventDefault();
      if (input.disabled) tell("None of the models that are named here reads images.");
      else this.#take([...files]);
    };
    // Of the whole page: elsewhere on it, browsers would leave it to show the file. Text goes where it is dropped.
    document.addEventListener("paste", (event) => offer(event, event.clipboardData?.files));
    document.addEventListener("drop", (event) => offer(event, event.dataTransfer.files));
    document.addEventListener("dragover", (event) => {
      if (event.dataTransfer.types.includes("Files")) event.preventDefault();
    });
  }

  get urls() {
    return this.#files.map((each) => each.url);
  }

  clear() {
    this.#files = [];
    this.#show();
  }

  async #take(files) {
    try {
      for (const file of files) {
        if (!TYPES.includes(file.type)) throw new Refused(`${file.name} is no PNG, JPEG, WebP or GIF.`);
        if (file.size > LARGEST_BYTES) throw new Refused(`${file.name} is larger than 7 MB.`);
        this.#files.push({ name: file.name, url: await dataUrl(file) });
      }
    } catch (error) {
      this.#tell(error.message);
    }
    this.#show();
  }

  #show() {
    this.#place.replaceChildren(...this.#files.map((each) => this.#line(each)));
    this.#place.hidden = !this.#files.length;
    this.#onChange();
  }

  #line(file) {
    const line = element("li");
    const image = element("img");
    Object.assign(image, { src: file.url, alt: "", width: THUMB, height: THUMB });
    const remove = element("button", "quiet", "Remove");
    remove.type = "button";
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.addEventListener("click", () => {
      this.#files = this.#files.filter((each) => each !== file);
      this.#show();
    });
    line.append(image, element("bdi", "", file.name), remove);
    return line;
  }
}
