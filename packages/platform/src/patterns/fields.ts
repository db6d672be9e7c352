import { elementsOf, isJsonObject, isPrimitive, type Primitive } from "./json.ts";

/** Up to so many keys that are asked of an object are looked up one by one; of more, the object's own are gone through. */
const LOOKED_UP_MAX = 8;

/** Places for values that a field keeps between events. To make a list anew for each event costs as much as to match it. */
const KEPT_PLACES_MAX = 16;

/** A place in events that patterns ask, and what the event being matched has there. */
export interface Field {
  readonly key: string;
  readonly parent: Field | undefined;
  readonly children: Map<string, Field>;
  /** How many ask its values. */
  uses: number;
  /** How many of `values` are the event's. */
  count: number;
  readonly values: Primitive[];
  /** Whether the event has several objects here, in one array: then the values below are not all of one object. */
  isSplit: boolean;
}

/** All places that the patterns of a set ask, as a tree, and the reading of an event along it: what nobody asks is passed over. */
export class Fields {
  readonly root: Field = newField("", undefined);
  readonly #read: Field[] = [];
  readonly #split: Field[] = [];

  /** The places where the event has values. Kept until `forget`. */
  get read(): readonly Field[] {
    return this.#read;
  }

  /** The places where the event has several objects in one array. Kept until `forget`. */
  get split(): readonly Field[] {
    return this.#split;
  }

  /** The place at the end of a path, for one that asks its values; given back by `release`. */
  use(path: readonly string[]): Field {
    let field = this.root;
    for (const key of path) {
      const known = field.children.get(key) ?? newField(key, field);
      field.children.set(key, known);
      field = known;
    }
    field.uses += 1;
    return field;
  }

  release(field: Field): void {
    field.uses -= 1;
    for (let each: Field = field; each.parent && each.uses === 0 && each.children.size === 0; each = each.parent)
      each.parent.children.delete(each.key);
  }

  /** Reads what an event has at these places. */
  take(event: unknown): void {
    this.#takeAny(this.root, event);
  }

  /** Lets go of the event. */
  forget(): void {
    for (const field of this.#read) {
      if (field.count > KEPT_PLACES_MAX) field.values.length = 0;
      else field.values.fill(null, 0, field.count);
      field.count = 0;
    }
    for (const field of this.#split) field.isSplit = false;
    this.#read.length = 0;
    this.#split.length = 0;
  }

  #takeAny(field: Field, value: unknown): void {
    if (!Array.isArray(value)) return this.#takeOne(field, value);
    let objects = 0;
    for (const element of elementsOf(value)) {
      if (isJsonObject(element)) objects += 1;
      this.#takeOne(field, element);
    }
    if (objects < 2 || field.isSplit || field.children.size === 0) return;
    field.isSplit = true;
    this.#split.push(field);
  }

  #takeOne(field: Field, value: unknown): void {
    if (isPrimitive(value)) {
      if (field.uses === 0) return;
      if (field.count === 0) this.#read.push(field);
      field.values[field.count] = value;
      field.count += 1;
    } else if (isJsonObject(value)) {
      const { children } = field;
      if (children.size <= LOOKED_UP_MAX) {
        for (const child of children.values()) if (Object.hasOwn(value, child.key)) this.#takeAny(child, value[child.key]);
      } else {
        for (const key of Object.keys(value)) {
          const child = children.get(key);
          if (child) this.#takeAny(child, value[key]);
        }
      }
    }
  }
}

function newField(key: string, parent: Field | undefined): Field {
  return { key, parent, children: new Map(), uses: 0, count: 0, values: [], isSplit: false };
}
