CREATE TABLE "log_entry" (
	"index" bigint PRIMARY KEY NOT NULL,
	"entry" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "log_head" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"size" bigint NOT NULL,
	"root" text NOT NULL,
	"edge" text[] NOT NULL,
	"moved_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "log_head_only" CHECK ("log_head"."only")
);
--> statement-breakpoint
CREATE TABLE "log_tile_root" (
	"level" integer NOT NULL,
	"index" bigint NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "log_tile_root_level_index_pk" PRIMARY KEY("level","index")
);
--> statement-breakpoint
ALTER TABLE "leaf" ADD COLUMN "log_index" bigint;--> statement-breakpoint
CREATE INDEX "leaf_unsequenced" ON "leaf" USING btree ("seq") WHERE log_index is null;--> statement-breakpoint
ALTER TABLE "leaf" ADD CONSTRAINT "leaf_log_index_unique" UNIQUE("log_index");